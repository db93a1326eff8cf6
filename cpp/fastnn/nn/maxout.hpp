// The second half of a Maxout layer (Goodfellow et al. 2013), after a dense layer that
// computes all pieces: y_j = max_k x_{k units + j}.
#pragma once

#include "fastnn/kernels/maxout.hpp"
#include "fastnn/nn/elementwise.hpp"

namespace fastnn {

template <class T>
struct LargestPiece : Elementwise<T> {
    static Activation activation() noexcept { return activation::Identity{}; }
    // `pre` holds the winners.
    LayerMemory<T> memory(const Pass& pass) const {
        LayerMemory<T> memory =
            activation_memory<T>(activation(), pass.batch, this->columns);
        memory.pre = Matrix<T>(pass.batch, this->columns);
        return memory;
    }
    void forward(const State<T>&,
                 const Pass&,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        maxout_forward<T>(x, memory.out.view(tile.rows), memory.pre.view(tile.rows));
    }
    void backward(const State<T>&,
                  const Pass&,
                  MatrixView<const T>,
                  LayerMemory<T>& memory,
                  MatrixView<T> dx,
                  const Tile& tile) const {
        if (!dx.data) return;
        maxout_backward<T>(memory.grad.view(tile.rows), memory.pre.view(tile.rows), dx);
    }
    void infer(const State<T>&,
               const Activation&,
               MatrixView<const T> x,
               MatrixView<T> y) const {
        maxout_forward<T>(x, y, {});
    }
};

}  // namespace fastnn
