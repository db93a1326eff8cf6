// The affine map of a dense layer and its three derivatives. Fused epilogues
// (activation, normalisation, loss) run on the same tile right after, while it is in
// cache.
#pragma once

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/gemm.hpp"

namespace fastnn {

// Y = X W^T + 1 b^T
template <class T>
void affine_forward(MatrixView<const T> x,  // (batch, in)
                    MatrixView<const T> w,  // (out, in)
                    VectorView<const T> b,  // (out), or empty
                    MatrixView<T> y,        // (batch, out)
                    GemmScratch<T>& scratch);

// dX = dY W
template <class T>
void affine_backward_input(MatrixView<const T> dy,  // (batch, out)
                           MatrixView<const T> w,   // (out, in)
                           MatrixView<T> dx,        // (batch, in)
                           GemmScratch<T>& scratch);

// dW = dY^T X
template <class T>
void affine_backward_weights(MatrixView<const T> dy,  // (batch, out)
                             MatrixView<const T> x,   // (batch, in)
                             MatrixView<T> dw,        // (out, in)
                             GemmScratch<T>& scratch);

}  // namespace fastnn
