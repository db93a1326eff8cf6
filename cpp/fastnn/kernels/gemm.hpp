// The three matrix products of a dense layer, over Eigen's packed kernel.
//
//   gemm_nt   Y  += X  W^T     forward           (batch, out) += (batch, in) (out,
//   in)^T gemm_nn   dX += dY W       backward, inputs  (batch, in)  += (batch, out)
//   (out, in) gemm_tn   dW += dY^T X     backward, weights (out, in)    += (batch,
//   out)^T (batch, in)
//
// Each output element is summed over k in an order that depends on k alone, as long as
// the number of rows is a multiple of kRowStep (a last, shorter group of rows goes
// through other code with AVX2 and SSE). Cache sizes of the machine do not enter.
// Panels are packed into the caller's scratch, so a product allocates nothing once the
// scratch is large enough (reserve_for).
#pragma once

#include "fastnn/core/buffer.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

// Pad tiles to a multiple of this many rows where a row must have the same bits in any
// tile.
inline constexpr Index kRowStep = 4;

// Packed panels; one per thread.
template <class T>
class GemmScratch {
public:
    // Room for any product with these extents of the result and of the sum, or smaller.
    void reserve_for(Index rows, Index cols, Index depth);

    T* panel_a(Index size) {
        a_.reserve(size);
        return a_.data();
    }
    T* panel_b(Index size) {
        b_.reserve(size);
        return b_.data();
    }

private:
    Buffer<T> a_;
    Buffer<T> b_;
};

template <class T>
void gemm_nt(MatrixView<const T> x,  // (m, k)
             MatrixView<const T> w,  // (n, k)
             MatrixView<T> y,        // (m, n), added to
             GemmScratch<T>& scratch);

template <class T>
void gemm_nn(MatrixView<const T> dy,  // (m, n)
             MatrixView<const T> w,   // (n, k)
             MatrixView<T> dx,        // (m, k), added to
             GemmScratch<T>& scratch);

template <class T>
void gemm_tn(MatrixView<const T> dy,  // (m, n)
             MatrixView<const T> x,   // (m, k)
             MatrixView<T> dw,        // (n, k), added to
             GemmScratch<T>& scratch);

}  // namespace fastnn
