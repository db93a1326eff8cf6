// Softmax and cross-entropy in one: l = -sum_j q_j log softmax(z)_j and its gradient
// factor * (softmax(z) sum_j q_j - q).
#include <algorithm>
#include <cmath>

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/simd.hpp"
#include "fastnn/nn/loss_rows.hpp"

namespace fastnn {
namespace {

using simd::for_each;
using simd::Vec;

// A row by itself: its outputs fill the lanes.
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
        const Vec<T> e = exp_of_negative(at.load(s.z, kLowest) - Vec<T>(shift));
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

constexpr Index kFewClasses = 32;

// Rows with a label each and few classes: a register of rows at a time, row k in lane
// k, so that nothing is summed across lanes and one logarithm serves them all.
template <class T>
class LabelledRows {
public:
    LabelledRows(const loss::CrossEntropy& c, const LossRows<T>& batch)
        : batch_(batch),
          smoothing_(c.label_smoothing),
          smooth_(smoothing_ / static_cast<double>(batch.outputs())),
          sharp_(1.0 - smoothing_) {}

    double sum() {
        double total = 0;
        for (Index begin = 0; begin < batch_.size(); begin += kLanes) {
            const Index n = std::min(kLanes, batch_.size() - begin);
            if (!load(begin, n)) total = std::numeric_limits<double>::quiet_NaN();
            compute();
            for (Index k = 0; k < n; ++k) {
                if (weight_[k] != 0)
                    total += weight_[k] * static_cast<double>(loss_[k]);
            }
            if (batch_.dz.data) store(begin, n);
        }
        return total;
    }

private:
    static constexpr Index kLanes = Vec<T>::kWidth;

    // Rows to lanes. False: a label is no class.
    bool load(Index begin, Index n) {
        bool all_classes = true;
        if (n < kLanes) clear();
        for (Index k = 0; k < n; ++k) {
            const T* z = batch_.z.row(begin + k);
            for (Index j = 0; j < batch_.outputs(); ++j) z_[j][k] = z[j];
            const std::int32_t y = batch_.label(begin + k);
            const bool is_class = batch_.is_class(y);
            all_classes = all_classes && is_class;
            label_[k] = is_class ? y : 0;
            own_[k] = z[label_[k]];
            weight_[k] = batch_.weight(begin + k);
            factor_[k] = static_cast<T>(batch_.factor(weight_[k]));
        }
        return all_classes;
    }

    // Lanes without a row: any numbers will do.
    void clear() {
        std::fill_n(z_[0], batch_.outputs() * kLanes, T(0));
        std::fill_n(own_, kLanes, T(0));
        std::fill_n(factor_, kLanes, T(0));
    }

    // loss := the losses, z := the gradients but for the share of each row's own class
    [[gnu::flatten]] void compute() {
        const Index outputs = batch_.outputs();
        Vec<T> shift = Vec<T>::load(z_[0]);
        for (Index j = 1; j < outputs; ++j) shift = max(shift, Vec<T>::load(z_[j]));
        Vec<T> partition, fall;
        for (Index j = 0; j < outputs; ++j) {
            const Vec<T> below = Vec<T>::load(z_[j]) - shift;
            const Vec<T> e = exp_of_negative(below);
            partition += e;
            fall -= below;
            e.store(z_[j]);
        }
        const Vec<T> log_partition =
            log(partition);  // of z - shift: no digits are lost
        Vec<T> l = Vec<T>(sharp_) * (log_partition + (shift - Vec<T>::load(own_)));
        if (smoothing_ > 0) {
            l += Vec<T>(smoothing_) * log_partition + Vec<T>(smooth_) * fall;
        }
        l.store(loss_);

        const Vec<T> factor = Vec<T>::load(factor_), scale = factor / partition;
        const Vec<T> uniform = factor * Vec<T>(smooth_);
        for (Index j = 0; j < outputs; ++j) {
            (scale * Vec<T>::load(z_[j]) - uniform).store(z_[j]);
        }
    }

    void store(Index begin, Index n) {
        for (Index k = 0; k < n; ++k) {
            T* dz = batch_.dz.row(begin + k);
            z_[label_[k]][k] -= factor_[k] * static_cast<T>(sharp_);
            for (Index j = 0; j < batch_.outputs(); ++j) dz[j] = z_[j][k];
        }
    }

    const LossRows<T>& batch_;
    double smoothing_;
    double smooth_;
    double sharp_;
    // Of each lane:
    alignas(64) T z_[kFewClasses][kLanes];
    alignas(64) T own_[kLanes];  // z of the row's class
    alignas(64) T factor_[kLanes];
    alignas(64) T loss_[kLanes];
    double weight_[kLanes];
    std::int32_t label_[kLanes];
};

}  // namespace

template <class T>
double cross_entropy_rows(const loss::CrossEntropy& c, const LossRows<T>& batch) {
    if (batch.targets.are_labels() && batch.outputs() <= kFewClasses) {
        return LabelledRows<T>(c, batch).sum();
    }
    return sum_rows(batch, [&](const Sample<T>& sample, double factor, T* dz) {
        return row(c, sample, factor, dz);
    });
}

template double cross_entropy_rows(const loss::CrossEntropy&, const LossRows<float>&);
template double cross_entropy_rows(const loss::CrossEntropy&, const LossRows<double>&);

}  // namespace fastnn
