// Where a network's named tensors lie in its flat buffers.
#pragma once

#include <new>
#include <string>
#include <vector>

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/affine.hpp"

namespace fastnn {

// Memory of a pass beside them, for what products read: made of the weights whenever
// those change, or of the weights and a mask in each step of training.
enum class Room { kPacked, kMasked };

// Trainable tensors share one buffer, running statistics another, both in state_dict
// order and without gaps.
enum class Storage { kParameters, kStatistics, kCounters };

struct Tensor {
    std::string name;          // "0.weight"; within a residual block "1.0.weight"
    std::vector<Index> shape;  // (out, in)
    Storage storage;
    Range range;  // in its buffer
};

class TensorTable {
public:
    // Appends a tensor of the layer named `layer`; returns its place in its buffer.
    Range add(const std::string& layer,
              const char* name,
              std::vector<Index> shape,
              Storage storage) {
        Index size = 1;
        bool too_large = false;
        for (Index extent : shape) {
            too_large |= __builtin_mul_overflow(size, extent, &size);
        }
        Index& end = sizes_[static_cast<int>(storage)];
        Range range{end, end};
        too_large |= __builtin_add_overflow(end, size, &range.end);
        if (too_large) throw std::bad_alloc();  // more than there are addresses
        end = range.end;
        tensors_.push_back({layer + "." + name, std::move(shape), storage, range});
        return range;
    }
    // Sets room aside for the packed weights of a dense layer (kernels/affine.hpp).
    Range add_panels(Index units, Index inputs, Room room = Room::kPacked) {
        return add_room(units, inputs, panels_size, room);
    }
    // And for its weights as they are, where its parameters are not.
    Range add_weights(Index units, Index inputs, Room room) {
        return add_room(
            units, inputs, [](Index rows, Index cols) { return rows * cols; }, room);
    }
    const std::vector<Tensor>& tensors() const noexcept { return tensors_; }
    Index size(Room room) const noexcept { return rooms_[static_cast<int>(room)]; }
    Index size(Storage storage) const noexcept {
        return sizes_[static_cast<int>(storage)];
    }

private:
    Range add_room(Index units,
                   Index inputs,
                   Index (*size_of)(Index, Index),
                   Room room) {
        Index& end = rooms_[static_cast<int>(room)];
        const Index begin = end;
        Index most = 0;
        const bool too_large =
            __builtin_mul_overflow(units + kPanelUnits, inputs + 1, &most) ||
            __builtin_add_overflow(begin, most, &most);
        if (too_large) throw std::bad_alloc();  // more than there are addresses
        end += size_of(units, inputs);
        return {begin, end};
    }

    std::vector<Tensor> tensors_;
    Index sizes_[3] = {0, 0, 0};
    Index rooms_[2] = {0, 0};
};

}  // namespace fastnn
