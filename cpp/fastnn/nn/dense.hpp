// Dense layer with its activation: y = f(X W^T + 1 b^T).
#pragma once

#include <string>
#include <vector>

#include "fastnn/core/rng.hpp"
#include "fastnn/nn/pass.hpp"
#include "fastnn/nn/tensors.hpp"

namespace fastnn {

template <class T>
class Dense {
public:
    Dense(Index position,
          Index in,
          Index out,
          bool bias,
          double lr_scale,
          Activation f,
          TensorTable& table);

    Index width() const noexcept { return out_; }
    static constexpr bool has_parameters() noexcept { return true; }
    const Activation& activation() const noexcept { return f_; }

    void initialise(T* parameters,
                    const std::string& scheme,
                    bool before_rectifier,
                    Generator random) const;
    LayerMemory<T> memory(const Pass& pass) const;
    std::vector<ParameterTile> parameter_tiles(Index layer) const;

    // X: MatrixView<const T>, or CsrView<T> in a first layer on sparse rows.
    template <class X>
    void forward(const State<T>& state,
                 const Pass& pass,
                 const X& x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const;
    // dx may be empty: the first layer's inputs need no gradient.
    void backward(const State<T>& state,
                  const Pass& pass,
                  MatrixView<const T> x,
                  LayerMemory<T>& memory,
                  MatrixView<T> dx,
                  const Tile& tile) const;
    // The gradient of one slice over the whole batch. X as for forward.
    template <class X>
    void gradient(const Pass& pass,
                  const X& x,
                  const LayerMemory<T>& memory,
                  const ParameterTile& tile,
                  T* dw,
                  T* db) const;
    // Packs the weights of one slice for the forward product.
    void pack(const T* parameters, const ParameterTile& tile, T* panels) const;
    // Inference: y = f(x W^T + b), `f` instead of the layer's own activation. X as for
    // forward.
    template <class X>
    void infer(const State<T>& state,
               const Activation& f,
               const X& x,
               MatrixView<T> y) const;

    // W (out, in), W as the forward product reads it, and b (out), or empty.
    MatrixView<const T> weights(const State<T>& state) const noexcept {
        return {state.parameters + weight_.begin, out_, in_};
    }
    PackedWeightsView<T> packed(const State<T>& state) const noexcept {
        return {state.panels + panels_.begin, out_};
    }
    VectorView<const T> biases(const State<T>& state) const noexcept {
        return {state.parameters + bias_.begin, bias_.size()};
    }

private:
    template <class X>
    void product(const State<T>& state, const X& x, MatrixView<T> y) const;

    Index in_;
    Index out_;
    Range weight_;
    Range bias_;
    Range panels_;
    double lr_scale_;
    Activation f_;
};

}  // namespace fastnn
