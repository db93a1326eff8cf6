// The affine map of a dense layer on sparse rows, and the derivative by its weights
// (affine.hpp has those on dense rows).
//
// A sum leaves out the terms that are zero and keeps the order of all others, with the
// parts that gemm.hpp cuts it into. Adding a zero changes no sum, so for finite weights
// each result has the same bits as from the same rows written out.
#pragma once

#include "fastnn/core/csr.hpp"
#include "fastnn/kernels/affine.hpp"

namespace fastnn {

// Y = X W^T + 1 b^T
template <class T>
void affine_forward(const CsrView<T>& x,        // (batch, in)
                    PackedWeightsView<T> w,     // (out, in)
                    VectorView<const T> b,      // (out), or empty
                    MatrixView<T> y) noexcept;  // (batch, out)

// The same from weights that are not packed: for so few nonzeros that packing takes
// longer than to look up what they need.
template <class T>
void affine_forward(const CsrView<T>& x,        // (batch, in)
                    MatrixView<const T> w,      // (out, in)
                    VectorView<const T> b,      // (out), or empty
                    MatrixView<T> y) noexcept;  // (batch, out)

// dW = dY^T X
template <class T>
void affine_backward_weights(MatrixView<const T> dy,      // (batch, out)
                             const CsrView<T>& x,         // (batch, in)
                             MatrixView<T> dw) noexcept;  // (out, in)

}  // namespace fastnn
