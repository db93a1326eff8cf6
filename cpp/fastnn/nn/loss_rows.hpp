// The rows of a batch as losses see them: outputs, targets and weights side by side.
#pragma once

#include <limits>

#include "fastnn/nn/loss.hpp"

namespace fastnn {

// The arguments of loss_rows.
template <class T>
struct LossRows {
    MatrixView<const T> z;
    const Targets<T>& targets;
    VectorView<const T> weights;
    const Index* rows;
    double total_weight;
    MatrixView<T> dz;

    Index size() const noexcept { return z.rows; }
    Index outputs() const noexcept { return z.cols; }
    Index sample(Index i) const noexcept { return rows ? rows[i] : i; }
    T* gradient(Index i) const noexcept { return dz.data ? dz.row(i) : nullptr; }

    double weight(Index i) const noexcept {
        return weights.empty() ? 1.0 : static_cast<double>(weights[sample(i)]);
    }
    // What a row of this weight multiplies its gradient by.
    double factor(double weight) const noexcept {
        return total_weight > 0 ? weight / total_weight : 0.0;
    }
    std::int32_t label(Index i) const noexcept { return targets.labels[sample(i)]; }
    bool is_class(std::int32_t label) const noexcept {
        return label >= 0 && label < outputs();
    }
};

// sum_i w_i l_i, with l_i = row_loss(sample, factor, gradient); a label that is no
// class makes it NaN.
template <class T, class RowLoss>
double sum_rows(const LossRows<T>& batch, const RowLoss& row_loss) {
    double total = 0;
    for (Index i = 0; i < batch.size(); ++i) {
        const bool labelled = batch.targets.are_labels();
        const std::int32_t y = labelled ? batch.label(i) : -1;
        if (labelled && !batch.is_class(y)) {
            total = std::numeric_limits<double>::quiet_NaN();
            continue;
        }
        const Sample<T> sample{
            batch.z.row(i),
            labelled ? nullptr : batch.targets.values.row(batch.sample(i)), y,
            batch.outputs()};
        const double w = batch.weight(i);
        const double value = row_loss(sample, batch.factor(w), batch.gradient(i));
        if (w != 0) total += w * value;
    }
    return total;
}

// loss_rows for CrossEntropy.
template <class T>
double cross_entropy_rows(const loss::CrossEntropy& c, const LossRows<T>& batch);

// loss_rows for Focal.
template <class T>
double focal_rows(const loss::Focal& f, const LossRows<T>& batch);

}  // namespace fastnn
