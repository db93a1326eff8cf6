// Layers without parameters: an activation that stands alone, and dropout.
#pragma once

#include <algorithm>
#include <vector>

#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/dropout.hpp"
#include "fastnn/nn/pass.hpp"

namespace fastnn {

// What layers without parameters have in common.
template <class T>
struct Elementwise {
    Index columns;

    Index width() const noexcept { return columns; }
    static constexpr bool has_parameters() noexcept { return false; }
    std::vector<ParameterTile> parameter_tiles(Index) const { return {}; }
    void gradient(const Pass&,
                  MatrixView<const T>,
                  const LayerMemory<T>&,
                  const ParameterTile&,
                  T*,
                  T*) const {}
};

template <class T>
void copy_rows(MatrixView<const T> from, MatrixView<T> to) noexcept {
    for (Index i = 0; i < from.rows; ++i)
        std::copy_n(from.row(i), from.cols, to.row(i));
}

// y = f(x), where no layer before it can take the activation in.
template <class T>
struct ActivationLayer : Elementwise<T> {
    Activation f;

    const Activation& activation() const noexcept { return f; }
    LayerMemory<T> memory(const Pass& pass) const {
        return activation_memory<T>(f, pass.batch, this->columns);
    }
    void forward(const State<T>&,
                 const Pass&,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        const Range rows = tile.rows;
        copy_rows<T>(x, pre_activation(f, memory, rows));
        activate(f, memory, rows);
    }
    void backward(const State<T>&,
                  const Pass&,
                  MatrixView<const T>,
                  LayerMemory<T>& memory,
                  MatrixView<T> dx,
                  const Tile& tile) const {
        const Range rows = tile.rows;
        activate_backward(f, memory, rows);
        if (dx.data) copy_rows<T>(memory.grad.view(rows), dx);
    }
    void infer(const State<T>&,
               const Activation& g,
               MatrixView<const T> x,
               MatrixView<T> y) const {
        copy_rows<T>(x, y);
        if (!is_identity(g)) activation_forward<T>(g, flat<const T>(y), flat(y));
    }
};

// Inverted dropout (Srivastava et al. 2014): y = x factor in training, y = x otherwise.
template <class T>
struct Dropout : Elementwise<T> {
    double p;        // a schedule may set another rate for a step: Pass::dropout_rate
    Index position;  // of the layer in the network: its own stream of random numbers

    static Activation activation() noexcept { return activation::Identity{}; }
    LayerMemory<T> memory(const Pass& pass) const {
        LayerMemory<T> memory =
            activation_memory<T>(activation(), pass.batch, this->columns);
        memory.pre = Matrix<T>(pass.batch, this->columns);
        return memory;
    }
    void forward(const State<T>&,
                 const Pass& pass,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        const Range rows = tile.rows;
        if (!pass.training) return copy_rows<T>(x, memory.out.view(rows));
        const DropoutKey key{pass.seed, stream_of(Purpose::kDropout, position),
                             pass.step};
        dropout_forward<T>(x, pass.dropout_rate, key, pass.first_row + rows.begin,
                           memory.out.view(rows), memory.pre.view(rows));
    }
    void backward(const State<T>&,
                  const Pass& pass,
                  MatrixView<const T>,
                  LayerMemory<T>& memory,
                  MatrixView<T> dx,
                  const Tile& tile) const {
        if (!dx.data) return;
        const Range rows = tile.rows;
        if (!pass.training) return copy_rows<T>(memory.grad.view(rows), dx);
        multiply<T>(memory.grad.view(rows), memory.pre.view(rows), dx);
    }
    void infer(const State<T>&,
               const Activation&,
               MatrixView<const T> x,
               MatrixView<T> y) const {
        copy_rows<T>(x, y);
    }
};

}  // namespace fastnn
