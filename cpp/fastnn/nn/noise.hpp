// Layers that are random in training and nothing in inference.
#pragma once

#include "fastnn/kernels/dropout.hpp"
#include "fastnn/kernels/noise.hpp"
#include "fastnn/nn/elementwise.hpp"

namespace fastnn {

// What they have in common: y = x but for training.
template <class T>
struct Noise : Elementwise<T> {
    Index number;  // of the layer in the network: its own stream of random numbers

    static Activation activation() noexcept { return activation::Identity{}; }
    RandomKey key(Purpose purpose, const Pass& pass) const noexcept {
        return {pass.seed, stream_of(purpose, number), pass.step};
    }
    void infer(const State<T>&,
               const Activation&,
               MatrixView<const T> x,
               MatrixView<T> y) const {
        copy_rows<T>(x, y);
    }
};

// Noise that y depends on by dy/dx = factor, which the memory keeps as `pre`.
template <class T>
struct Multiplicative : Noise<T> {
    LayerMemory<T> memory(const Pass& pass) const {
        LayerMemory<T> memory =
            activation_memory<T>(this->activation(), pass.batch, this->columns);
        memory.pre = Matrix<T>(pass.batch, this->columns);
        return memory;
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
};

// Inverted dropout (Srivastava et al. 2014): y = x factor.
template <class T>
struct Dropout : Multiplicative<T> {
    double p;  // Pass::dropout_rate is that of a step

    bool is_random() const noexcept { return p > 0; }
    void forward(const State<T>&,
                 const Pass& pass,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        const Range rows = tile.rows;
        if (!pass.training) return copy_rows<T>(x, memory.out.view(rows));
        dropout_forward<T>(x, pass.dropout_rate, this->key(Purpose::kDropout, pass),
                           pass.first_row + rows.begin, memory.out.view(rows),
                           memory.pre.view(rows));
    }
};

// Dropout for SELU (Klambauer et al. 2017): mean and variance stay.
template <class T>
struct AlphaDropout : Multiplicative<T> {
    double p;  // Pass::dropout_rate is that of a step

    bool is_random() const noexcept { return p > 0; }
    void forward(const State<T>&,
                 const Pass& pass,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        const Range rows = tile.rows;
        if (!pass.training) return copy_rows<T>(x, memory.out.view(rows));
        alpha_dropout_forward<T>(
            x, pass.dropout_rate, this->key(Purpose::kDropout, pass),
            pass.first_row + rows.begin, memory.out.view(rows), memory.pre.view(rows));
    }
};

// y = x + deviation n, n standard normal
template <class T>
struct GaussianNoise : Noise<T> {
    double deviation;

    bool is_random() const noexcept { return deviation > 0; }
    LayerMemory<T> memory(const Pass& pass) const {
        return activation_memory<T>(this->activation(), pass.batch, this->columns);
    }
    void forward(const State<T>&,
                 const Pass& pass,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        const Range rows = tile.rows;
        if (!pass.training) return copy_rows<T>(x, memory.out.view(rows));
        add_gaussian_noise<T>(x, deviation, this->key(Purpose::kNoise, pass),
                              pass.first_row + rows.begin, memory.out.view(rows));
    }
    void backward(const State<T>&,
                  const Pass&,
                  MatrixView<const T>,
                  LayerMemory<T>& memory,
                  MatrixView<T> dx,
                  const Tile& tile) const {
        if (dx.data) copy_rows<T>(memory.grad.view(tile.rows), dx);
    }
};

}  // namespace fastnn
