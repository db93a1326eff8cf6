#include "fastnn/nn/regularizer.hpp"

#include <cmath>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/vectors.hpp"

namespace fastnn {

using simd::for_each;
using simd::Vec;

namespace {

template <class T>
MatrixView<T> rows_of(T* parameters, const ParameterTile& tile) noexcept {
    const Index units = tile.units.size();
    return {parameters + tile.weight.begin, units, tile.weight.size() / units};
}

// Of a row of weights: |v|, and sum |v| / |v|; of zeros 1 and 0.
template <class T>
struct Direction {
    double length;
    double sum_abs;

    explicit Direction(VectorView<const T> v) noexcept
        : length(std::sqrt(squared_norm<T>(v))) {
        if (length == 0) length = 1;
        sum_abs = sum_of_absolutes<T>(v) / length;
    }
};

template <class T>
double value_of_normalised(const Penalty& penalty,
                           MatrixView<const T> v,
                           VectorView<const T> g) noexcept {
    double value = 0;
    for (Index i = 0; i < v.rows; ++i) {
        const double gain = static_cast<double>(g[i]);
        value += penalty.l2 / 2 * gain * gain;
        if (penalty.l1 == 0) continue;
        value += penalty.l1 * std::abs(gain) * Direction<T>({v.row(i), v.cols}).sum_abs;
    }
    return value;
}

// With s = sum |v| / |v|:
//   dg += l1 sign(g) s + l2 g,  dv += l1 |g| / |v| (sign(v) - s v / |v|)
template <class T>
void add_gradient_of_normalised(const Penalty& penalty,
                                MatrixView<const T> v,
                                VectorView<const T> g,
                                const TileGradient<T>& d) noexcept {
    for (Index i = 0; i < v.rows; ++i) {
        const double gain = static_cast<double>(g[i]);
        d.gain[i] += static_cast<T>(penalty.l2 * gain);
        if (penalty.l1 == 0) continue;
        const Direction<T> direction({v.row(i), v.cols});
        const double sign_of_gain = gain > 0 ? 1 : gain < 0 ? -1 : 0;
        d.gain[i] += static_cast<T>(penalty.l1 * sign_of_gain * direction.sum_abs);
        const Vec<T> size(penalty.l1 * std::abs(gain) / direction.length);
        const Vec<T> along(direction.sum_abs / direction.length);
        T* dv = d.weight + i * v.cols;
        for_each<T>(v.cols, [&](auto at) {
            const Vec<T> x = at.load(v.row(i));
            at.store(dv, at.load(dv) + size * (sign(x) - along * x));
        });
    }
}

}  // namespace

template <class T>
double penalty_value(const Penalty& penalty,
                     const T* parameters,
                     const ParameterTile& tile) noexcept {
    if (!tile.penalised || penalty.none()) return 0;
    if (tile.gain.size() > 0) {
        return value_of_normalised<T>(penalty, rows_of(parameters, tile),
                                      {parameters + tile.gain.begin, tile.gain.size()});
    }
    const VectorView<const T> w{parameters + tile.weight.begin, tile.weight.size()};
    double value = penalty.l2 / 2 * squared_norm(w);
    if (penalty.l1 == 0) return value;
    double sum_abs = 0;
    for (Index i = 0; i < w.size; ++i) sum_abs += std::abs(static_cast<double>(w[i]));
    return value + penalty.l1 * sum_abs;
}

template <class T>
void add_penalty_gradient(const Penalty& penalty,
                          const T* parameters,
                          const ParameterTile& tile,
                          const TileGradient<T>& d) noexcept {
    if (!tile.penalised || penalty.none()) return;
    if (tile.gain.size() > 0) {
        return add_gradient_of_normalised<T>(
            penalty, rows_of(parameters, tile),
            {parameters + tile.gain.begin, tile.gain.size()}, d);
    }
    const T* w = parameters + tile.weight.begin;
    const Vec<T> l1(penalty.l1), l2(penalty.l2);
    for_each<T>(tile.weight.size(), [&](auto at) {
        const Vec<T> v = at.load(w);
        at.store(d.weight, at.load(d.weight) + l1 * sign(v) + l2 * v);
    });
}

template <class T>
void limit_norms(T* parameters, const ParameterTile& tile, double limit) noexcept {
    if (!tile.penalised) return;
    if (tile.gain.size() > 0) {
        return clip_values<T>({parameters + tile.gain.begin, tile.gain.size()}, limit);
    }
    const MatrixView<T> w = rows_of(parameters, tile);
    for (Index i = 0; i < w.rows; ++i) {
        const VectorView<T> row{w.row(i), w.cols};
        const double norm = std::sqrt(squared_norm<T>(row));
        if (norm > limit) scale(row, limit / norm);
    }
}

template <class T>
void clip_values(VectorView<T> g, double limit) noexcept {
    const Vec<T> high(limit), low(-limit);
    for_each<T>(g.size, [&](auto at) {
        at.store(g.data, min(max(at.load(g.data), low), high));
    });
}

#define FASTNN_INSTANTIATE(T)                                                \
    template double penalty_value<T>(const Penalty&, const T*,               \
                                     const ParameterTile&) noexcept;         \
    template void add_penalty_gradient<T>(const Penalty&, const T*,          \
                                          const ParameterTile&,              \
                                          const TileGradient<T>&) noexcept;  \
    template void limit_norms<T>(T*, const ParameterTile&, double) noexcept; \
    template void clip_values<T>(VectorView<T>, double) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
