// The largest of several affine pieces (Goodfellow et al. 2013).
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// y_j = max_k x_{k units + j}. Of equal pieces the one with the smallest k wins.
template <class T>
void maxout_forward(MatrixView<const T> x,           // (rows, pieces units)
                    MatrixView<T> y,                 // (rows, units)
                    MatrixView<T> winner) noexcept;  // (rows, units): its k, or empty

// dx_{k units + j} = dy_j where piece k won, 0 elsewhere
template <class T>
void maxout_backward(MatrixView<const T> dy,      // (rows, units)
                     MatrixView<const T> winner,  // (rows, units)
                     MatrixView<T> dx) noexcept;  // (rows, pieces units)

}  // namespace fastnn
