// Dense layer with its activation: y = f(X W^T + 1 b^T).
//
// W is a parameter, or with weight normalisation made of two: w_i = g_i v_i / |v_i|. In
// training DropConnect (Wan et al. 2013) drops some of its elements, anew in each step,
// and scales the others by 1 / (1 - p). Where W is not a parameter, it is kept beside
// them for the backward product, and packed from there.
#pragma once

#include <vector>

#include "fastnn/kernels/random_words.hpp"
#include "fastnn/nn/init.hpp"
#include "fastnn/nn/pass.hpp"
#include "fastnn/nn/tensors.hpp"

namespace fastnn {

template <class T>
class Dense {
public:
    Dense(
        const std::string& name,
        Index number,  // of the layer in the network: its own stream of random numbers
        Index in,
        Index out,
        bool bias,
        double lr_scale,
        Activation f,
        TensorTable& table,
        bool weight_norm = false,
        double dropconnect = 0.0);

    Index width() const noexcept { return out_; }
    static constexpr bool has_parameters() noexcept { return true; }
    const Activation& activation() const noexcept { return f_; }
    bool has_weight_norm() const noexcept { return gain_.size() > 0; }
    // Whether a training pass depends on chance.
    bool is_random() const noexcept { return dropconnect_ > 0; }

    void initialise(T* parameters, const InitialWeights& how, Generator random) const;
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
    void gradient(const State<T>& state,
                  const Pass& pass,
                  const X& x,
                  const LayerMemory<T>& memory,
                  const ParameterTile& tile,
                  const TileGradient<T>& d) const;
    // Packs the weights of one slice for the forward product.
    void pack(const T* parameters, const ParameterTile& tile, T* panels) const;
    // Makes and packs the weights of one slice for a step of training, after pack.
    void mask(const State<T>& state,
              const ParameterTile& tile,
              std::uint64_t seed,
              std::uint32_t step,
              T* masked) const;
    // Inference: y = f(x W^T + b), `f` instead of the layer's own activation. X as for
    // forward.
    template <class X>
    void infer(const State<T>& state,
               const Activation& f,
               const X& x,
               MatrixView<T> y) const;

    // The parameter (out, in): W or, with weight normalisation, V.
    MatrixView<const T> parameter(const T* parameters) const noexcept {
        return {parameters + weight_.begin, out_, in_};
    }
    // W of inference, and of training if nothing is dropped ...
    MatrixView<const T> weights(const State<T>& state) const noexcept {
        if (has_weight_norm()) return {state.panels + normalised_.begin, out_, in_};
        return parameter(state.parameters);
    }
    // ... as the forward product reads it ...
    PackedWeightsView<T> packed(const State<T>& state) const noexcept {
        return {state.panels + panels_.begin, out_};
    }
    // ... and where in the room of packed weights both lie.
    Range panels() const noexcept { return panels_; }
    Range normalised() const noexcept { return normalised_; }
    VectorView<const T> gains(const T* parameters) const noexcept {
        return {parameters + gain_.begin, gain_.size()};
    }
    // (out), or empty
    VectorView<const T> biases(const State<T>& state) const noexcept {
        return {state.parameters + bias_.begin, bias_.size()};
    }

private:
    template <class X>
    void product(const State<T>& state,
                 bool training,
                 const X& x,
                 MatrixView<T> y) const;
    MatrixView<const T> weights(const State<T>& state, bool training) const noexcept {
        if (!training || !is_random()) return weights(state);
        return {state.masked + masked_.begin, out_, in_};
    }
    RandomKey mask_key(std::uint64_t seed, std::uint32_t step) const noexcept {
        return {seed, stream_of(Purpose::kDropConnect, number_), step};
    }

    Index number_;
    Index in_;
    Index out_;
    Range gain_;  // of weight normalisation
    Range weight_;
    Range bias_;
    Range panels_;
    Range normalised_;     // W made of gain_ and weight_, in Room::kPacked
    Range masked_;         // W of a training step, in Room::kMasked ...
    Range masked_panels_;  // ... and packed
    double lr_scale_;
    double dropconnect_;
    Activation f_;
};

}  // namespace fastnn
