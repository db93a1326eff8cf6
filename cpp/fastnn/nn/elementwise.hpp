// Layers without parameters: what they share, and an activation that stands alone.
#pragma once

#include <algorithm>
#include <vector>

#include "fastnn/nn/pass.hpp"

namespace fastnn {

// What layers without parameters have in common.
template <class T>
struct Elementwise {
    Index columns;

    Index width() const noexcept { return columns; }
    static constexpr bool has_parameters() noexcept { return false; }
    std::vector<ParameterTile> parameter_tiles(Index) const { return {}; }
    void gradient(const State<T>&,
                  const Pass&,
                  MatrixView<const T>,
                  const LayerMemory<T>&,
                  const ParameterTile&,
                  const TileGradient<T>&) const {}
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

}  // namespace fastnn
