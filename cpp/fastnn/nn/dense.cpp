#include "fastnn/nn/dense.hpp"

#include <algorithm>

#include "fastnn/kernels/affine_sparse.hpp"
#include "fastnn/kernels/reduce.hpp"
#include "fastnn/nn/init.hpp"

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
Dense<T>::Dense(Index position,
                Index in,
                Index out,
                bool bias,
                double lr_scale,
                Activation f,
                TensorTable& table)
    : in_(in),
      out_(out),
      weight_(table.add(position, "weight", {out, in}, Storage::kParameters)),
      bias_(bias ? table.add(position, "bias", {out}, Storage::kParameters) : Range{}),
      panels_(table.add_panels(out, in)),
      lr_scale_(lr_scale),
      f_(f) {}

template <class T>
void Dense<T>::initialise(T* parameters,
                          const std::string& scheme,
                          bool before_rectifier,
                          Generator random) const {
    initialise_dense<T>(scheme, before_rectifier,
                        {parameters + weight_.begin, out_, in_},
                        {parameters + bias_.begin, bias_.size()}, random);
}

template <class T>
LayerMemory<T> Dense<T>::memory(const Pass& pass) const {
    return activation_memory<T>(f_, pass.batch, out_);
}

template <class T>
std::vector<ParameterTile> Dense<T>::parameter_tiles(Index layer) const {
    const Index height = slice_height<T>(out_, in_);
    std::vector<ParameterTile> tiles;
    for (Index i = 0; i < ceil_div(out_, height); ++i) {
        const Range units = tile_range(i, height, out_);
        const Range weight{weight_.begin + units.begin * in_,
                           weight_.begin + units.end * in_};
        const Range bias = bias_.size() == 0 ? Range{}
                                             : Range{bias_.begin + units.begin,
                                                     bias_.begin + units.end};
        tiles.push_back({layer, units, weight, bias, lr_scale_, true});
    }
    return tiles;
}

// Y = X W^T + 1 b^T
template <class T>
template <class X>
void Dense<T>::product(const State<T>& state, const X& x, MatrixView<T> y) const {
    if constexpr (std::is_same_v<X, CsrView<T>>) {
        if (!state.reader_packed) {
            return affine_forward<T>(x, weights(state), biases(state), y);
        }
    }
    affine_forward<T>(x, packed(state), biases(state), y);
}

template <class T>
template <class X>
void Dense<T>::forward(const State<T>& state,
                       const Pass&,
                       const X& x,
                       LayerMemory<T>& memory,
                       const Tile& tile) const {
    const Range rows = tile.rows;
    product(state, x, pre_activation(f_, memory, rows));
    activate(f_, memory, rows);
}

template <class T>
void Dense<T>::backward(const State<T>& state,
                        const Pass&,
                        MatrixView<const T>,
                        LayerMemory<T>& memory,
                        MatrixView<T> dx,
                        const Tile& tile) const {
    const Range rows = tile.rows;
    activate_backward(f_, memory, rows);
    if (dx.data) {
        affine_backward_input<T>(memory.grad.view(rows), weights(state), dx);
    }
}

template <class T>
template <class X>
void Dense<T>::gradient(const Pass& pass,
                        const X& x,
                        const LayerMemory<T>& memory,
                        const ParameterTile& tile,
                        T* dw,
                        T* db) const {
    const MatrixView<const T> dz =
        memory.grad.view({0, pass.batch}).col_slice(tile.units);
    affine_backward_weights<T>(dz, x, {dw, tile.units.size(), in_});
    if (tile.bias.size() > 0) column_sums(dz, db);
}

template <class T>
void Dense<T>::pack(const T* parameters, const ParameterTile& tile, T* panels) const {
    pack_weights<T>({parameters + weight_.begin, out_, in_}, tile.units,
                    panels + panels_.begin);
}

template <class T>
template <class X>
void Dense<T>::infer(const State<T>& state,
                     const Activation& f,
                     const X& x,
                     MatrixView<T> y) const {
    product(state, x, y);
    if (!is_identity(f)) activation_forward<T>(f, flat<const T>(y), flat(y));
}

#define FASTNN_INSTANTIATE(T, X)                                                      \
    template void Dense<T>::forward<X>(const State<T>&, const Pass&, const X&,        \
                                       LayerMemory<T>&, const Tile&) const;           \
    template void Dense<T>::gradient<X>(const Pass&, const X&, const LayerMemory<T>&, \
                                        const ParameterTile&, T*, T*) const;          \
    template void Dense<T>::infer<X>(const State<T>&, const Activation&, const X&,    \
                                     MatrixView<T>) const;
FASTNN_INSTANTIATE(float, MatrixView<const float>)
FASTNN_INSTANTIATE(float, CsrView<float>)
FASTNN_INSTANTIATE(double, MatrixView<const double>)
FASTNN_INSTANTIATE(double, CsrView<double>)
#undef FASTNN_INSTANTIATE
template class Dense<float>;
template class Dense<double>;

}  // namespace fastnn
