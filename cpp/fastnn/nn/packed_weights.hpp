// The weights of a network's dense layers once more, as their forward product reads
// them (kernels/affine.hpp): packed once a step, right after an update while they are
// in cache, instead of once for every tile of rows. Weights that are made of parameters
// (weight normalisation) or of chance (DropConnect) live here as well; the latter in
// memory of their own, so that a validation amid training sees all weights.
#pragma once

#include "fastnn/core/threads.hpp"
#include "fastnn/nn/network.hpp"

namespace fastnn {

template <class T>
class PackedWeights {
public:
    explicit PackedWeights(const Network<T>& network, bool training = false)
        : network_(network),
          own_(network.tensors().size(Room::kPacked)),
          masked_(training ? network.tensors().size(Room::kMasked) : 0),
          panels_(own_.data()) {}
    // For inference, in `room`, which grows as needed and outlives this.
    PackedWeights(const Network<T>& network, Buffer<T>& room) : network_(network) {
        room.reserve(network.tensors().size(Room::kPacked));
        panels_ = room.data();
    }
    PackedWeights(const PackedWeights&) = delete;
    PackedWeights& operator=(const PackedWeights&) = delete;

    // Whoever changed a slice of the parameters packs it anew. Slices may be packed in
    // parallel.
    void pack(const ParameterTile& tile) {
        if (const Dense<T>* dense = dense_of(tile)) {
            dense->pack(network_.parameters().data(), tile, panels_);
        }
    }
    // Whether a training pass reads weights with a mask. Then each slice needs, between
    // pack and the pass, a mask of the step.
    bool masked() const noexcept { return masked_.size() > 0; }
    void mask(const ParameterTile& tile, std::uint64_t seed, std::uint32_t step) {
        if (!masked()) return;
        if (const Dense<T>* dense = dense_of(tile)) {
            dense->mask(state(), tile, seed, step, masked_.data());
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
                reader_packed_, masked_.data()};
    }

private:
    const Dense<T>* dense_of(const ParameterTile& tile) const noexcept {
        const auto layer = static_cast<std::size_t>(tile.layer);
        return std::get_if<Dense<T>>(&network_.layers()[layer]);
    }

    const Network<T>& network_;
    Buffer<T> own_;
    Buffer<T> masked_;
    T* panels_ = nullptr;
    bool reader_packed_ = true;
};

}  // namespace fastnn
