// Penalties on the weights of dense layers; biases and normalisation are left alone.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// l1 sum |w| + l2/2 sum w^2, added to the mean loss of a batch.
struct Penalty {
    double l1 = 0.0;
    double l2 = 0.0;

    bool none() const noexcept { return l1 == 0 && l2 == 0; }
    // Its share in a batch of this weight; none in a batch without weight.
    Penalty over(double weight) const noexcept {
        return weight > 0 ? Penalty{l1 / weight, l2 / weight} : Penalty{};
    }
};

template <class T>
double penalty_value(const Penalty& penalty, VectorView<const T> w) noexcept;

// g += l1 sign(w) + l2 w
template <class T>
void add_penalty_gradient(const Penalty& penalty,
                          VectorView<const T> w,
                          VectorView<T> g) noexcept;

// Rows longer than `limit` are scaled back to it: the incoming weights of each unit
// (Srivastava et al. 2014).
template <class T>
void limit_row_norms(MatrixView<T> w, double limit) noexcept;

// g := min(max(g, -limit), limit)
template <class T>
void clip_values(VectorView<T> g, double limit) noexcept;

}  // namespace fastnn
