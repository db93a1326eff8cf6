#include "fastnn/nn/regularizer.hpp"

#include <cmath>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

using simd::for_each;
using simd::Vec;

template <class T>
double penalty_value(const Penalty& penalty, VectorView<const T> w) noexcept {
    double value = penalty.l2 / 2 * squared_norm(w);
    if (penalty.l1 == 0) return value;
    double sum_abs = 0;
    for (Index i = 0; i < w.size; ++i) sum_abs += std::abs(static_cast<double>(w[i]));
    return value + penalty.l1 * sum_abs;
}

template <class T>
void add_penalty_gradient(const Penalty& penalty,
                          VectorView<const T> w,
                          VectorView<T> g) noexcept {
    const Vec<T> l1(penalty.l1), l2(penalty.l2);
    for_each<T>(w.size, [&](auto at) {
        const Vec<T> v = at.load(w.data);
        at.store(g.data, at.load(g.data) + l1 * sign(v) + l2 * v);
    });
}

template <class T>
void limit_row_norms(MatrixView<T> w, double limit) noexcept {
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

#define FASTNN_INSTANTIATE(T)                                                       \
    template double penalty_value<T>(const Penalty&, VectorView<const T>) noexcept; \
    template void add_penalty_gradient<T>(const Penalty&, VectorView<const T>,      \
                                          VectorView<T>) noexcept;                  \
    template void limit_row_norms<T>(MatrixView<T>, double) noexcept;               \
    template void clip_values<T>(VectorView<T>, double) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
