// Dropout (Srivastava et al. 2014), inverted: kept elements are scaled by 1 / (1 - p).
#pragma once

#include <cstdint>

#include "fastnn/core/types.hpp"

namespace fastnn {

// Which random numbers a mask is made of: equal keys give equal masks.
struct DropoutKey {
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;  // the layer, see stream_of
    std::uint32_t step = 0;
};

// factor = 0 with probability p, else 1 / (1 - p);  y = x factor.
// Element (row, col) of the batch uses word row % 4 of Philox block (col, row / 4), so
// a row's mask does not depend on its tile. `first_row` is the batch row of x's row 0.
template <class T>
void dropout_forward(MatrixView<const T> x,  // (rows, cols)
                     double p,
                     const DropoutKey& key,
                     Index first_row,
                     MatrixView<T> y,                 // (rows, cols), may be x
                     MatrixView<T> factor) noexcept;  // (rows, cols)

// out = a b, element by element: y = x factor, dx = dy factor
template <class T>
void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out) noexcept;

}  // namespace fastnn
