// The three products of a dense layer with few units, such as the classes of an output
// layer, where a general product wastes most of its registers.
//
// An element is summed in the order of k, strip by strip and in a strip one term after
// another (for one or two units: in one chain for each lane), wherever its row stands:
// a row has the same bits alone as in any batch or tile. dW is summed likewise in the
// order of the rows.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

inline constexpr Index kThinUnits = 16;  // the most units these products take

// Y = X W^T + 1 b^T
template <class T>
void thin_forward(MatrixView<const T> x,      // (batch, in)
                  MatrixView<const T> w,      // (out, in), out <= kThinUnits
                  VectorView<const T> b,      // (out), or empty
                  MatrixView<T> y) noexcept;  // (batch, out)

// dX = dY W
template <class T>
void thin_backward_input(MatrixView<const T> dy,      // (batch, out)
                         MatrixView<const T> w,       // (out, in), out <= kThinUnits
                         MatrixView<T> dx) noexcept;  // (batch, in)

// dW = dY^T X
template <class T>
void thin_backward_weights(MatrixView<const T> dy,      // (batch, out)
                           MatrixView<const T> x,       // (batch, in)
                           MatrixView<T> dw) noexcept;  // (out, in), out <= kThinUnits

}  // namespace fastnn
