#include "fastnn/nn/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

using simd::for_each;
using simd::Vec;

// Each overload returns l and, if dz is given, writes factor * dl/dz.

template <class T, class Term, class Slope>
double mean_over_outputs(const Sample<T>& s,
                         double factor,
                         T* dz,
                         Term term,
                         Slope slope) {
    const double share = 1.0 / static_cast<double>(s.outputs);
    const Vec<T> scale(factor * share);
    Vec<T> total;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> d = at.load(s.z) - at.load(s.y);
        total += term(d);
        if (dz) at.store(dz, scale * slope(d));
    });
    return static_cast<double>(sum(total)) * share;
}

template <class T>
[[gnu::flatten]] double row(const loss::Mse&,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    return mean_over_outputs(
        s, factor, dz, [](auto d) { return d * d; }, [](auto d) { return d + d; });
}

template <class T>
[[gnu::flatten]] double row(const loss::Mae&,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    return mean_over_outputs(
        s, factor, dz, [](auto d) { return abs(d); }, [](auto d) { return sign(d); });
}

template <class T>
[[gnu::flatten]] double row(const loss::Huber& h,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const Vec<T> delta(h.delta), half(0.5);
    return mean_over_outputs(
        s, factor, dz,
        [&](auto d) {
            const auto a = abs(d);
            return select(a > delta, delta * (a - half * delta), half * d * d);
        },
        [&](auto d) { return max_with_number(min_with_number(d, delta), -delta); });
}

template <class T>
[[gnu::flatten]] double row(const loss::CrossEntropy& c,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    constexpr T kLowest = -std::numeric_limits<T>::infinity();  // exp of it is 0
    Vec<T> greatest(kLowest);
    for_each<T>(s.outputs,
                [&](auto at) { greatest = max(greatest, at.load(s.z, kLowest)); });
    const T shift = max_lane(greatest);
    Vec<T> total;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> e = exp(at.load(s.z, kLowest) - Vec<T>(shift));
        total += e;
        if (dz) at.store(dz, e);
    });
    const T partition = sum(total);
    const T log_partition = std::log(partition);  // of z - shift, so no digits are lost

    const double smooth = c.label_smoothing / static_cast<double>(s.outputs);
    const double sharp = 1.0 - c.label_smoothing;
    double mass = 1;  // sum_j q_j: rows of probabilities need not sum to 1
    if (s.y) {
        Vec<T> total_y;
        for_each<T>(s.outputs, [&](auto at) { total_y += at.load(s.y); });
        mass = sharp * static_cast<double>(sum(total_y)) + c.label_smoothing;
    }
    if (dz) {
        const Vec<T> scale(factor * mass / static_cast<double>(partition));
        const Vec<T> uniform(factor * smooth), share(factor * sharp);
        for_each<T>(s.outputs, [&](auto at) {
            Vec<T> d = scale * at.load(dz) - uniform;
            if (s.y) d -= share * at.load(s.y);
            at.store(dz, d);
        });
        if (!s.y) dz[s.label] -= static_cast<T>(factor * sharp);
    }
    double l = 0;  // sum_j q_j (log_partition + shift - z_j)
    if (s.y) {
        Vec<T> expected;
        for_each<T>(s.outputs, [&](auto at) {
            expected +=
                at.load(s.y) * (Vec<T>(log_partition) + (Vec<T>(shift) - at.load(s.z)));
        });
        l = sharp * static_cast<double>(sum(expected));
    } else {
        l = sharp * static_cast<double>(log_partition + (shift - s.z[s.label]));
    }
    if (smooth > 0) {
        double fall = 0;
        for (Index j = 0; j < s.outputs; ++j)
            fall += static_cast<double>(shift - s.z[j]);
        l += c.label_smoothing * static_cast<double>(log_partition) + smooth * fall;
    }
    return l;
}

// One number for all outputs, or a double for each: as registers of T.
template <class T>
class PerOutput {
public:
    explicit PerOutput(const std::vector<double>& values)
        : each_(values.size() > 1 ? values.data() : nullptr),
          all_(values.empty() ? 1.0 : values[0]) {}

    template <class At>
    Vec<T> load(At at, Index outputs) const {
        if (!each_) return all_;
        alignas(64) T lanes[Vec<T>::kWidth];
        for (Index k = 0; k < Vec<T>::kWidth; ++k) {
            lanes[k] = static_cast<T>(each_[std::min(at.i + k, outputs - 1)]);
        }
        return Vec<T>::load(lanes);
    }

private:
    const double* each_;
    Vec<T> all_;
};

template <class T>
[[gnu::flatten]] double row(const loss::BinaryCrossEntropy& b,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const double share = 1.0 / static_cast<double>(s.outputs);
    const PerOutput<T> pos_weight(b.pos_weight);
    const Vec<T> zero, one(1), scale(factor * share);
    const Vec<T> sharp(1 - b.label_smoothing), smooth(b.label_smoothing / 2);
    Vec<T> total;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> z = at.load(s.z), p = pos_weight.load(at, s.outputs);
        const Vec<T> q = fma(at.load(s.y), sharp, smooth);
        // -log s(z) = log(1 + exp(-z)) = e + max(-z, 0), -log(1 - s(z)) = e + max(z, 0)
        const Vec<T> decay = exp(-abs(z));
        const Vec<T> e = log1p_of_fraction(decay);
        const Vec<T> l = p * q * (e + max_with_number(-z, zero)) +
                         (one - q) * (e + max_with_number(z, zero));
        total += at.where_inside(l);
        if (!dz) return;
        const Vec<T> inverse = one / (one + decay);
        const Vec<T> positive = select(z < zero, decay, one) * inverse;  // s(z)
        const Vec<T> negative = select(z < zero, one, decay) * inverse;  // 1 - s(z)
        at.store(dz, scale * ((one - q) * positive - p * q * negative));
    });
    return static_cast<double>(sum(total)) * share;
}

}  // namespace

void loss::CrossEntropy::validate() const {
    require_fraction("label_smoothing", label_smoothing);
}

void loss::BinaryCrossEntropy::validate() const {
    require_fraction("label_smoothing", label_smoothing);
    for (double p : pos_weight) require_positive("pos_weight", p);
}

void check_outputs(const Loss& loss, Index outputs) {
    if (const auto* b = std::get_if<loss::BinaryCrossEntropy>(&loss)) {
        const auto n = static_cast<Index>(b->pos_weight.size());
        require(n <= 1 || n == outputs, "the number of entries in pos_weight", n,
                "1 or the number of outputs (" + std::to_string(outputs) + ")");
    }
    if (std::holds_alternative<loss::CrossEntropy>(loss)) {
        require(outputs >= 2, "the number of outputs for cross_entropy", outputs,
                "at least 2, one per class (use binary_cross_entropy for one output)");
    }
}

template <class T>
double loss_rows(const Loss& loss,
                 MatrixView<const T> z,
                 const Targets<T>& targets,
                 VectorView<const T> weights,
                 const Index* rows,
                 double total_weight,
                 MatrixView<T> dz) noexcept {
    return std::visit(
        [&](const auto& l) {
            double total = 0;
            for (Index i = 0; i < z.rows; ++i) {
                const Index r = rows ? rows[i] : i;
                const bool label = targets.are_labels();
                const std::int32_t y = label ? targets.labels[r] : -1;
                if (label && (y < 0 || y >= z.cols)) {
                    total = std::numeric_limits<double>::quiet_NaN();
                    continue;
                }
                const Sample<T> sample{
                    z.row(i), label ? nullptr : targets.values.row(r), y, z.cols};
                const double w =
                    weights.empty() ? 1.0 : static_cast<double>(weights[r]);
                const double factor = total_weight > 0 ? w / total_weight : 0.0;
                const double value =
                    row(l, sample, factor, dz.data ? dz.row(i) : nullptr);
                if (w != 0) total += w * value;
            }
            return total;
        },
        loss);
}

#define FASTNN_INSTANTIATE(T)                                                         \
    template double loss_rows<T>(const Loss&, MatrixView<const T>, const Targets<T>&, \
                                 VectorView<const T>, const Index*, double,           \
                                 MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
