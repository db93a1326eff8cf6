// A loss that comes from outside, as a meeting of the whole batch between forward and
// backward: the outside judges its rows, then tiles weigh what it said.
#pragma once

#include "fastnn/nn/loss.hpp"

namespace fastnn {

// Has the batch judged, on the calling thread: losses := l_i, dz := d l_i / d z_i. A
// batch with an output that is not finite is not shown outside: all becomes NaN, which
// tells that training has diverged.
template <class T>
void judge_rows(const Targets<T>& targets,
                MatrixView<const T> z,      // (rows, outputs)
                const Index* rows,          // (rows), or null: the first
                VectorView<double> losses,  // (rows)
                MatrixView<T> dz);          // (rows, outputs), or empty

// loss_rows for rows that were judged: the same sum, and dz *= w_i / total_weight.
template <class T>
double weigh_rows(VectorView<const double> losses,  // (rows)
                  VectorView<const T> weights,      // (n), or empty
                  const Index* rows,                // (rows), or null
                  double total_weight,
                  MatrixView<T> dz) noexcept;  // (rows, outputs), or empty

}  // namespace fastnn
