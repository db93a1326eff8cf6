// What a network learns from: features, targets and weights, side by side.
#pragma once

#include "fastnn/nn/features.hpp"
#include "fastnn/nn/loss.hpp"

namespace fastnn {

// Samples to learn from or to compare with.
template <class T>
struct Samples {
    Features<T> x;                // (n, in)
    Targets<T> targets;           // (n) or (n, out)
    VectorView<const T> weights;  // (n), or empty

    Index size() const noexcept { return x.rows; }
    Samples slice(Range rows) const noexcept;
    // Sum of the weights of some rows (of the first n when rows is null).
    double total_weight(const Index* rows, Index n) const noexcept;
};

}  // namespace fastnn
