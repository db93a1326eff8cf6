#include "fastnn/nn/dense.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fastnn/kernels/affine_sparse.hpp"
#include "fastnn/kernels/dropout.hpp"
#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/weight_norm.hpp"

namespace fastnn {
namespace {

// Rows of W whose gradient is computed at once: about 512 KiB, to stay in a core's L2
// cache until the optimizer has used it, but no fewer than use a copied part of X
// often; and an even number of slices. Depends on the shape alone.
template <class T>
Index slice_height(Index out, Index in) {
    constexpr Index kBytes = 512 << 10;
    constexpr Index kOften = 128;
    constexpr Index kWorthSplitting = 4096;  // elements
    constexpr Index kStep = kPanelUnits;
    const Index bytes = out * in * static_cast<Index>(sizeof(T));
    if (out * in < kWorthSplitting) return out;
    const Index slices = round_up(ceil_div(bytes, kBytes), 2);
    const Index height = std::max(ceil_div(out, slices), std::min(kOften, out / 2));
    return std::min(out, round_up(height, kStep));
}

}  // namespace

template <class T>
Dense<T>::Dense(const std::string& name,
                Index number,
                Index in,
                Index out,
                bool bias,
                double lr_scale,
                Activation f,
                TensorTable& table,
                bool weight_norm,
                double dropconnect)
    : number_(number),
      in_(in),
      out_(out),
      lr_scale_(lr_scale),
      dropconnect_(dropconnect),
      f_(f) {
    const auto add = [&](const char* tensor, std::vector<Index> shape) {
        return table.add(name, tensor, std::move(shape), Storage::kParameters);
    };
    if (weight_norm) gain_ = add("weight_g", {out, 1});
    weight_ = add(weight_norm ? "weight_v" : "weight", {out, in});
    if (bias) bias_ = add("bias", {out});
    panels_ = table.add_panels(out, in);
    if (weight_norm) normalised_ = table.add_weights(out, in, Room::kPacked);
    if (is_random()) {
        masked_ = table.add_weights(out, in, Room::kMasked);
        masked_panels_ = table.add_panels(out, in, Room::kMasked);
    }
}

// With weight normalisation |v_i| is the first g_i: W starts as the scheme has it.
template <class T>
void Dense<T>::initialise(T* parameters,
                          const InitialWeights& how,
                          Generator random) const {
    const MatrixView<T> w{parameters + weight_.begin, out_, in_};
    initialise_dense<T>(how, w, {parameters + bias_.begin, bias_.size()}, random);
    for (Index i = 0; i < gain_.size(); ++i) {
        parameters[gain_.begin + i] =
            static_cast<T>(std::sqrt(squared_norm<T>({w.row(i), in_})));
    }
}

template <class T>
LayerMemory<T> Dense<T>::memory(const Pass& pass) const {
    return activation_memory<T>(f_, pass.batch, out_);
}

template <class T>
std::vector<ParameterTile> Dense<T>::parameter_tiles(Index layer) const {
    const Index height = slice_height<T>(out_, in_);
    const auto part = [](Range all, Range units, Index width = 1) {
        if (all.size() == 0) return Range{};
        return Range{all.begin + units.begin * width, all.begin + units.end * width};
    };
    std::vector<ParameterTile> tiles;
    for (Index i = 0; i < ceil_div(out_, height); ++i) {
        const Range units = tile_range(i, height, out_);
        tiles.push_back({layer, units, part(weight_, units, in_), part(bias_, units),
                         lr_scale_, true, part(gain_, units)});
    }
    return tiles;
}

// Y = X W^T + 1 b^T
template <class T>
template <class X>
void Dense<T>::product(const State<T>& state,
                       bool training,
                       const X& x,
                       MatrixView<T> y) const {
    if constexpr (std::is_same_v<X, CsrView<T>>) {
        if (!state.reader_packed) {
            return affine_forward<T>(x, weights(state), biases(state), y);
        }
    }
    if (training && is_random()) {
        const PackedWeightsView<T> masked{state.masked + masked_panels_.begin, out_};
        return affine_forward<T>(x, masked, biases(state), y);
    }
    affine_forward<T>(x, packed(state), biases(state), y);
}

template <class T>
template <class X>
void Dense<T>::forward(const State<T>& state,
                       const Pass& pass,
                       const X& x,
                       LayerMemory<T>& memory,
                       const Tile& tile) const {
    const Range rows = tile.rows;
    product(state, pass.training, x, pre_activation(f_, memory, rows));
    activate(f_, memory, rows);
}

template <class T>
void Dense<T>::backward(const State<T>& state,
                        const Pass& pass,
                        MatrixView<const T>,
                        LayerMemory<T>& memory,
                        MatrixView<T> dx,
                        const Tile& tile) const {
    const Range rows = tile.rows;
    activate_backward(f_, memory, rows);
    if (dx.data) {
        const MatrixView<const T> w = weights(state, pass.training);
        affine_backward_input<T>(memory.grad.view(rows), w, dx);
    }
}

// First that of W, then back through its mask and its normalisation.
template <class T>
template <class X>
void Dense<T>::gradient(const State<T>& state,
                        const Pass& pass,
                        const X& x,
                        const LayerMemory<T>& memory,
                        const ParameterTile& tile,
                        const TileGradient<T>& d) const {
    const MatrixView<const T> dz =
        memory.grad.view({0, pass.batch}).col_slice(tile.units);
    const MatrixView<T> dw{d.weight, tile.units.size(), in_};
    affine_backward_weights<T>(dz, x, dw);
    if (tile.bias.size() > 0) column_sums(dz, d.bias);
    if (pass.training && is_random()) {
        apply_mask<T>(dw, dropconnect_, mask_key(pass.seed, pass.step),
                      tile.units.begin, dw);
    }
    if (has_weight_norm()) {
        weight_norm_backward<T>(parameter(state.parameters).row_slice(tile.units),
                                gains(state.parameters).slice(tile.units), dw,
                                {d.gain, tile.gain.size()});
    }
}

template <class T>
void Dense<T>::pack(const T* parameters, const ParameterTile& tile, T* panels) const {
    MatrixView<const T> w = parameter(parameters);
    if (has_weight_norm()) {
        const MatrixView<T> normalised{panels + normalised_.begin, out_, in_};
        weight_norm_forward<T>(w.row_slice(tile.units),
                               gains(parameters).slice(tile.units),
                               normalised.row_slice(tile.units));
        w = normalised;
    }
    pack_weights<T>(w, tile.units, panels + panels_.begin);
}

template <class T>
void Dense<T>::mask(const State<T>& state,
                    const ParameterTile& tile,
                    std::uint64_t seed,
                    std::uint32_t step,
                    T* masked) const {
    if (!is_random()) return;
    const MatrixView<T> w{masked + masked_.begin, out_, in_};
    apply_mask<T>(weights(state).row_slice(tile.units), dropconnect_,
                  mask_key(seed, step), tile.units.begin, w.row_slice(tile.units));
    pack_weights<T>(w, tile.units, masked + masked_panels_.begin);
}

template <class T>
template <class X>
void Dense<T>::infer(const State<T>& state,
                     const Activation& f,
                     const X& x,
                     MatrixView<T> y) const {
    product(state, false, x, y);
    if (!is_identity(f)) activation_forward<T>(f, flat<const T>(y), flat(y));
}

#define FASTNN_INSTANTIATE(T, X)                                                     \
    template void Dense<T>::forward<X>(const State<T>&, const Pass&, const X&,       \
                                       LayerMemory<T>&, const Tile&) const;          \
    template void Dense<T>::gradient<X>(const State<T>&, const Pass&, const X&,      \
                                        const LayerMemory<T>&, const ParameterTile&, \
                                        const TileGradient<T>&) const;               \
    template void Dense<T>::infer<X>(const State<T>&, const Activation&, const X&,   \
                                     MatrixView<T>) const;
FASTNN_INSTANTIATE(float, MatrixView<const float>)
FASTNN_INSTANTIATE(float, CsrView<float>)
FASTNN_INSTANTIATE(double, MatrixView<const double>)
FASTNN_INSTANTIATE(double, CsrView<double>)
#undef FASTNN_INSTANTIATE
template class Dense<float>;
template class Dense<double>;

}  // namespace fastnn
