// What layers are given and leave behind while a batch passes through them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fastnn/core/matrix.hpp"
#include "fastnn/core/types.hpp"
#include "fastnn/kernels/activation.hpp"

namespace fastnn {

// The numbers a network owns, as layers see them during a pass.
template <class T>
struct State {
    const T* parameters;
    const T* statistics;
    const T* panels;  // what the dense layers' products read (packed_weights.hpp)
    // Whether those of the layer that reads sparse rows are there too: for few rows
    // packing takes longer than to look up what they need.
    bool reader_packed = true;
    const T* masked = nullptr;  // this step's weights of layers that drop some
};

// One pass of one batch.
struct Pass {
    Index batch = 0;        // rows
    Index first_row = 0;    // where they stand in the batch they are a part of
    Index tile_height = 0;  // rows of a tile
    bool training = true;   // batch statistics and dropout, or inference mode
    std::uint64_t seed = 0;
    std::uint32_t step = 0;
    double dropout_rate = 0;  // of the layer that is given this, if it drops elements

    Index tiles() const noexcept { return ceil_div(batch, tile_height); }
};

// Some rows of the batch, handled by one thread.
struct Tile {
    Index index;
    Range rows;
};

// What one layer keeps of a batch from its forward to its backward pass. Layers use the
// parts they need.
template <class T>
struct LayerMemory {
    Matrix<T> out;   // (batch, width) the layer's outputs, after its activation
    Matrix<T> pre;   // (batch, width) before the activation, or the dropout's factors
    Matrix<T> grad;  // (batch, width) d loss / d out, turned in place into d loss / d z
    Matrix<T> tile_a, tile_b;     // (tiles, width) partial sums of each tile
    Buffer<T> mean, inv_std, m2;  // (width) or (batch): statistics
    Buffer<T> dgamma, dbeta;      // (width)
    Buffer<T> factors;            // (batch) what a residual block's branch counts
};

// Memory for z, y = f(z) and dL/dy; z is kept apart only where the slope needs it.
template <class T>
LayerMemory<T> activation_memory(const Activation& f, Index batch, Index width) {
    LayerMemory<T> memory;
    memory.out = Matrix<T>(batch, width);
    memory.grad = Matrix<T>(batch, width);
    if (slope_needs_input(f)) memory.pre = Matrix<T>(batch, width);
    return memory;
}

// Where a layer writes z.
template <class T>
MatrixView<T> pre_activation(const Activation& f, LayerMemory<T>& memory, Range rows) {
    return (slope_needs_input(f) ? memory.pre : memory.out).view(rows);
}

// out = f(z)
template <class T>
void activate(const Activation& f, LayerMemory<T>& memory, Range rows) {
    if (is_identity(f)) return;
    const MatrixView<const T> z = pre_activation(f, memory, rows);
    activation_forward<T>(f, flat(z), flat(memory.out.view(rows)));
}

// grad := grad f'(z)
template <class T>
void activate_backward(const Activation& f, LayerMemory<T>& memory, Range rows) {
    if (is_identity(f)) return;
    const MatrixView<const T> s = pre_activation(f, memory, rows);
    const VectorView<T> grad = flat(memory.grad.view(rows));
    activation_backward<T>(f, grad, flat(s), grad);
}

// A slice of a layer's parameters whose gradient one thread computes at a time: `units`
// are rows of a weight matrix, or columns of a normalisation layer.
struct ParameterTile {
    Index layer;
    Range units;
    Range weight;  // in the flat parameter buffer: these units' weights (gamma) ...
    Range bias;    // ... and biases (beta); may be empty
    double lr_scale = 1.0;
    bool penalised = false;  // whether l1, l2 and max_norm apply to `weight`
    Range gain{};  // with weight normalisation: the lengths of these units' weights

    Index size() const noexcept { return weight.size() + bias.size() + gain.size(); }
};

// Where the gradient of a slice goes: of its weights, biases and gains.
template <class T>
struct TileGradient {
    T* weight;
    T* bias;
    T* gain;

    // At its place among the gradients of all parameters.
    static TileGradient among(T* all, const ParameterTile& tile) noexcept {
        return {all + tile.weight.begin, all + tile.bias.begin, all + tile.gain.begin};
    }
    // In a buffer of its own, one after the other.
    static TileGradient alone(T* buffer, const ParameterTile& tile) noexcept {
        T* bias = buffer + tile.weight.size();
        return {buffer, bias, bias + tile.bias.size()};
    }
    // Calls visit(range of the parameters, their gradient) for all three.
    template <class Visit>
    void for_each(const ParameterTile& tile, const Visit& visit) const {
        visit(tile.weight, VectorView<T>{weight, tile.weight.size()});
        visit(tile.bias, VectorView<T>{bias, tile.bias.size()});
        visit(tile.gain, VectorView<T>{gain, tile.gain.size()});
    }
};

// Parameters of the largest tile.
inline Index largest_tile(const std::vector<ParameterTile>& tiles) noexcept {
    Index size = 0;
    for (const ParameterTile& tile : tiles) size = std::max(size, tile.size());
    return size;
}

}  // namespace fastnn
