#include "fastnn/nn/samples.hpp"

namespace fastnn {

template <class T>
double Samples<T>::total_weight(const Index* rows, Index n) const noexcept {
    if (weights.empty()) return static_cast<double>(n);
    double total = 0;
    for (Index i = 0; i < n; ++i) {
        total += static_cast<double>(weights[rows ? rows[i] : i]);
    }
    return total;
}

template <class T>
Samples<T> Samples<T>::slice(Range rows) const noexcept {
    Samples part{x.row_slice(rows), targets, weights};
    part.targets.first += rows.begin;
    if (targets.are_labels()) {
        part.targets.labels = targets.labels.slice(rows);
    } else if (targets.values.data) {
        part.targets.values = targets.values.row_slice(rows);
    }
    if (!weights.empty()) part.weights = weights.slice(rows);
    return part;
}

template struct Samples<float>;
template struct Samples<double>;

}  // namespace fastnn
