// The weights of a network's dense layers once more, as their forward product reads
// them (kernels/affine.hpp): packed once a step, right after an update while they are
// in cache, instead of once for every tile of rows.
#pragma once

#include "fastnn/core/threads.hpp"
#include "fastnn/nn/network.hpp"

namespace fastnn {

template <class T>
class PackedWeights {
public:
    explicit PackedWeights(const Network<T>& network)
        : network_(network), own_(network.tensors().panels()), panels_(own_.data()) {}
    // In `room`, which grows as needed and outlives this.
    PackedWeights(const Network<T>& network, Buffer<T>& room) : network_(network) {
        room.reserve(network.tensors().panels());
        panels_ = room.data();
    }
    PackedWeights(const PackedWeights&) = delete;
    PackedWeights& operator=(const PackedWeights&) = delete;

    // Whoever changed a slice of the parameters packs it anew. Slices may be packed in
    // parallel.
    void pack(const ParameterTile& tile) {
        const auto& layer = network_.layers()[static_cast<std::size_t>(tile.layer)];
        if (const auto* dense = std::get_if<Dense<T>>(&layer)) {
            dense->pack(network_.parameters().data(), tile, panels_);
        }
    }
    static constexpr Index kNone = -1;

    // Packs all of them, but for those of the layer `unpacked`, if there is one: it
    // reads sparse rows.
    void pack_all(int n_threads, Index unpacked = kNone) {
        const auto& tiles = network_.parameter_tiles();
        reader_packed_ = unpacked == kNone;
        parallel_for(n_threads, static_cast<Index>(tiles.size()), [&](Index i, int) {
            const ParameterTile& tile = tiles[static_cast<std::size_t>(i)];
            if (tile.layer != unpacked) pack(tile);
        });
    }
    // The network's numbers, as layers see them.
    State<T> state() const noexcept {
        return {network_.parameters().data(), network_.statistics().data(), panels_,
                reader_packed_};
    }

private:
    const Network<T>& network_;
    Buffer<T> own_;
    T* panels_ = nullptr;
    bool reader_packed_ = true;
};

}  // namespace fastnn
