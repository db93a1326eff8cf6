#include "fastnn/nn/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/simd.hpp"
#include "fastnn/nn/loss_rows.hpp"

namespace fastnn {
namespace {

using simd::for_each;
using simd::Vec;

// Each overload returns l and, if dz is given, writes factor * dl/dz.

// Losses of the differences d = z - y: term(d) summed over the outputs.
template <class T, class L, class Term, class Slope>
double of_differences(const L& l,
                      const Sample<T>& s,
                      double factor,
                      T* dz,
                      Term term,
                      Slope slope) {
    const double share = l.share(s.outputs);
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
[[gnu::flatten]] double row(const loss::Mse& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    return of_differences(
        l, s, factor, dz, [](auto d) { return d * d; }, [](auto d) { return d + d; });
}

template <class T>
[[gnu::flatten]] double row(const loss::SquaredError& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const Vec<T> half(0.5);
    return of_differences(
        l, s, factor, dz, [&](auto d) { return half * d * d; },
        [](auto d) { return d; });
}

template <class T>
[[gnu::flatten]] double row(const loss::Mae& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    return of_differences(
        l, s, factor, dz, [](auto d) { return abs(d); },
        [](auto d) { return sign(d); });
}

template <class T>
[[gnu::flatten]] double row(const loss::Huber& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const Vec<T> delta(l.delta), half(0.5);
    return of_differences(
        l, s, factor, dz,
        [&](auto d) {
            const auto a = abs(d);
            return select(a > delta, delta * (a - half * delta), half * d * d);
        },
        [&](auto d) { return max_with_number(min_with_number(d, delta), -delta); });
}

// log cosh d = log(1 + sinh(d)^2) / 2 near 0, where |d| + log(1 + exp(-2 |d|)) - log 2
// would lose all digits.
template <class T>
Vec<T> log_cosh(Vec<T> d) {
    const Vec<T> one(1), half(0.5), size = abs(d);
    const Vec<T> decay = exp_of_negative(-size);
    const Vec<T> sinh = half * (decay + one) * -expm1_of_negative(-size) / decay;
    const Vec<T> square = sinh * sinh;
    const Vec<T> near = half * log1p_of_fraction(min_with_number(square, one));
    const Vec<T> far =
        size - Vec<T>(std::numbers::ln2) + log1p_of_fraction(decay * decay);
    return select(square < one, near, far);
}

template <class T>
[[gnu::flatten]] double row(const loss::LogCosh& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    return of_differences(
        l, s, factor, dz, [](auto d) { return log_cosh(d); },
        [](auto d) { return tanh(d); });
}

template <class T>
[[gnu::flatten]] double row(const loss::Quantile& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const Vec<T> zero;
    const Index n = s.outputs / l.count();
    const double share = 1.0 / static_cast<double>(l.count());
    double total = 0;
    for (Index k = 0; k < l.count(); ++k) {
        const double q = l.q[static_cast<std::size_t>(k)];
        const Vec<T> above(1 - q), below(-q);  // slopes, by the sign of d
        const auto slope = [&](auto d) {
            return select(d > zero, above, select(d < zero, below, d));
        };
        const Sample<T> run{s.z + k * n, s.y, s.label, n};
        total += of_differences(
            l, run, factor * share, dz ? dz + k * n : nullptr,
            [&](auto d) { return slope(d) * d; }, slope);
    }
    return total * share;
}

template <class T>
[[gnu::flatten]] double row(const loss::PoissonNll& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const double share = l.share(s.outputs);
    const Vec<T> scale(factor * share), infinity(std::numeric_limits<T>::infinity());
    Vec<T> total;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> z = at.load(s.z), y = at.load(s.y), rate = exp(z);
        // y z may overflow too, and inf - inf is no number.
        total += at.where_inside(select(rate < infinity, rate - y * z, rate));
        if (dz) at.store(dz, scale * (rate - y));
    });
    return static_cast<double>(sum(total)) * share;
}

template <class T>
[[gnu::flatten]] double row(const loss::GaussianNll& l,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const Index n = s.outputs / 2;
    const double share = 1.0 / static_cast<double>(n);
    const Vec<T> zero, half(0.5), floor(std::log(l.eps)), scale(factor * share);
    Vec<T> total;
    for_each<T>(n, [&](auto at) {
        const Vec<T> given = at.load(s.z + n), log_variance = max(given, floor);
        // d in standard deviations: d^2 may overflow where it counts for nothing.
        const Vec<T> inverse = exp(-half * log_variance);
        const Vec<T> d = (at.load(s.z) - at.load(s.y)) * inverse;
        const Vec<T> excess = half * d * d;
        total += at.where_inside(half * log_variance + excess);
        if (!dz) return;
        at.store(dz, scale * d * inverse);
        at.store(dz + n, select(given <= floor, zero, scale * (half - excess)));
    });
    return static_cast<double>(sum(total)) * share;
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
    const double share = b.share(s.outputs);
    const PerOutput<T> pos_weight(b.pos_weight);
    const Vec<T> zero, one(1), scale(factor * share);
    const Vec<T> sharp(1 - b.label_smoothing), smooth(b.label_smoothing / 2);
    Vec<T> total;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> z = at.load(s.z), p = pos_weight.load(at, s.outputs);
        const Vec<T> q = fma(at.load(s.y), sharp, smooth);
        // -log s(z) = log(1 + exp(-z)) = e + max(-z, 0), -log(1 - s(z)) = e + max(z, 0)
        const Vec<T> decay = exp_of_negative(-abs(z));
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

template <class T>
[[gnu::flatten]] double row(const loss::Hinge& h,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const double share = h.share(s.outputs);
    const Vec<T> zero, one(1), two(2), scale(factor * share);
    Vec<T> total;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> t = fma(two, at.load(s.y), -one), z = at.load(s.z);
        const Vec<T> short_of = one - t * z;
        const auto safe = short_of <= zero;
        total += at.where_inside(select(safe, zero, short_of));
        // t + (z - z): NaN and infinity show
        if (dz) at.store(dz, select(safe, zero, scale * -(t + (z - z))));
    });
    return static_cast<double>(sum(total)) * share;
}

}  // namespace

void loss::Quantile::validate() const {
    require(!q.empty(), "q", "none", "at least one number in (0, 1)");
    for (const double p : q) require(p > 0 && p < 1, "q", p, "in (0, 1)");
}

Index loss::Quantile::central() const noexcept {
    const auto nearer = [](double a, double b) {
        return std::abs(a - 0.5) < std::abs(b - 0.5);
    };
    return std::min_element(q.begin(), q.end(), nearer) - q.begin();
}

void loss::CrossEntropy::validate() const {
    require_fraction("label_smoothing", label_smoothing);
}

void loss::BinaryCrossEntropy::validate() const {
    require_fraction("label_smoothing", label_smoothing);
    for (double p : pos_weight) require_positive("pos_weight", p);
}

void loss::Custom::validate() const {
    const bool known = targets == "any" || targets == "values" ||
                       targets == "classes" || targets == "labels";
    require(known, "targets", "'" + targets + "'",
            "'any', 'values', 'classes' or 'labels'");
}

Index target_width(const Loss& loss, Index outputs) {
    if (const auto* quantile = std::get_if<loss::Quantile>(&loss)) {
        return outputs / quantile->count();
    }
    return std::holds_alternative<loss::GaussianNll>(loss) ? outputs / 2 : outputs;
}

Index first_prediction(const Loss& loss, Index outputs) {
    const auto* quantile = std::get_if<loss::Quantile>(&loss);
    return quantile ? quantile->central() * target_width(loss, outputs) : 0;
}

void check_outputs(const Loss& loss, Index outputs) {
    if (const auto* b = std::get_if<loss::BinaryCrossEntropy>(&loss)) {
        const auto n = static_cast<Index>(b->pos_weight.size());
        require(n <= 1 || n == outputs, "the number of entries in pos_weight", n,
                "1 or the number of outputs (" + std::to_string(outputs) + ")");
    }
    if (std::holds_alternative<loss::GaussianNll>(loss)) {
        require(outputs >= 2 && outputs % 2 == 0, "the number of outputs for gaussian",
                outputs, "even: a mean and the logarithm of a variance for each value");
    }
    if (const auto* quantile = std::get_if<loss::Quantile>(&loss)) {
        require(outputs % quantile->count() == 0, "the number of outputs for quantile",
                outputs,
                "a multiple of the number of quantiles (" +
                    std::to_string(quantile->count()) + ")");
    }
    if (std::holds_alternative<loss::CrossEntropy>(loss) ||
        std::holds_alternative<loss::Focal>(loss)) {
        require(outputs >= 2, "the number of outputs for a loss of classes", outputs,
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
    const LossRows<T> batch{z, targets, weights, rows, total_weight, dz};
    return std::visit(
        [&]<class L>(const L& l) {
            if constexpr (std::is_same_v<L, loss::CrossEntropy>) {
                return cross_entropy_rows(l, batch);
            } else if constexpr (std::is_same_v<L, loss::Focal>) {
                return focal_rows(l, batch);
            } else if constexpr (std::is_same_v<L, loss::Custom>) {
                return std::numeric_limits<double>::quiet_NaN();
            } else {
                return sum_rows(batch, [&](const auto& sample, double factor, T* dz_i) {
                    return row(l, sample, factor, dz_i);
                });
            }
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
