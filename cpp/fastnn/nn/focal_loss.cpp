// The focal loss of softmax: l = sum_j q_j f(p_j), f(p) = -(1 - p)^gamma log p, and its
// gradient
//   dl/dz_k = q_k g_k - p_k sum_j q_j g_j,
//   g = p f'(p) = (1 - p)^gamma (gamma p log p / (1 - p) - 1).
// Everything follows from log p, so that nothing is lost where p is near 0 or 1.
#include <cmath>
#include <limits>

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/simd.hpp"
#include "fastnn/nn/loss_rows.hpp"

namespace fastnn {
namespace {

using simd::for_each;
using simd::Vec;

// log softmax of a row is z - shift - log_partition.
template <class T>
struct Normalizer {
    static constexpr T kLowest = -std::numeric_limits<T>::infinity();  // exp of it is 0
    Vec<T> shift, log_partition;

    explicit Normalizer(const Sample<T>& s) {
        Vec<T> greatest(kLowest), total;
        for_each<T>(s.outputs,
                    [&](auto at) { greatest = max(greatest, at.load(s.z, kLowest)); });
        shift = Vec<T>(max_lane(greatest));
        for_each<T>(s.outputs, [&](auto at) {
            total += exp_of_negative(at.load(s.z, kLowest) - shift);
        });
        log_partition = Vec<T>(std::log(sum(total)));
    }
    Vec<T> log_probability(Vec<T> z) const { return (z - shift) - log_partition; }
};

// The target's share in outputs at .. : its row of values, or 1 for its class.
template <class T, class At>
Vec<T> target(At at, const Sample<T>& s) {
    if (s.y) return at.load(s.y);
    const Vec<T> lanes = Vec<T>::lane_numbers() + Vec<T>(at.i - s.label);
    return select(lanes == Vec<T>(), Vec<T>(1), Vec<T>());
}

template <class T>
[[gnu::flatten]] double row(const loss::Focal& f,
                            const Sample<T>& s,
                            double factor,
                            T* dz) {
    const Vec<T> zero, one(1), gamma(f.gamma), scale(factor);
    const Vec<T> tiny(std::numeric_limits<T>::min());
    const Normalizer<T> softmax(s);
    Vec<T> total, total_slope;
    for_each<T>(s.outputs, [&](auto at) {
        const Vec<T> q = target<T>(at, s);
        const Vec<T> log_p = softmax.log_probability(at.load(s.z));
        const Vec<T> p = exp_of_negative(log_p);
        const Vec<T> rest = max(-expm1_of_negative(log_p), tiny);  // 1 - p
        const Vec<T> focus = exp(gamma * log(rest));
        const Vec<T> g = focus * (gamma * p * log_p / rest - one);
        // A class ruled out, of log p = -inf, has no share: 0 inf is no number.
        const auto none = q == zero;
        const Vec<T> slope = at.where_inside(select(none, zero, q * g));
        total -= at.where_inside(select(none, zero, q * focus * log_p));
        total_slope += slope;
        if (dz) at.store(dz, slope);
    });
    if (dz) {
        const Vec<T> sum_slope(sum(total_slope));
        for_each<T>(s.outputs, [&](auto at) {
            const Vec<T> p = exp_of_negative(softmax.log_probability(at.load(s.z)));
            at.store(dz, scale * (at.load(dz) - p * sum_slope));
        });
    }
    return static_cast<double>(sum(total));
}

}  // namespace

template <class T>
double focal_rows(const loss::Focal& f, const LossRows<T>& batch) {
    return sum_rows(batch, [&](const Sample<T>& sample, double factor, T* dz) {
        return row(f, sample, factor, dz);
    });
}

template double focal_rows(const loss::Focal&, const LossRows<float>&);
template double focal_rows(const loss::Focal&, const LossRows<double>&);

}  // namespace fastnn
