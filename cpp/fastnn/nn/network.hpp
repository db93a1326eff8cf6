// A multi-layer perceptron: its layers, and the numbers it owns in flat buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "fastnn/nn/inference_plan.hpp"
#include "fastnn/nn/layer.hpp"
#include "fastnn/nn/layer_spec.hpp"
#include "fastnn/nn/tensors.hpp"
#include "fastnn/nn/wiring.hpp"

namespace fastnn {

// Layers are built from specs; an activation right after a dense or normalisation layer
// or a residual block is taken into it and computed in the same pass over a tile. A
// block becomes its inner layers, its projection if it has one, and an Add.
template <class T>
class Network {
public:
    Network() = default;  // of no layers: only to be assigned to
    Network(const std::vector<LayerSpec>& specs, Index in_features, std::uint64_t seed);

    Index in_features() const noexcept { return in_features_; }
    Index out_features() const noexcept { return widths_.back(); }
    // Output width of each layer as written.
    const std::vector<Index>& widths() const noexcept { return widths_; }
    // Outputs for a row of all layers as written, within blocks as well.
    Index row_elements() const noexcept { return row_elements_; }
    std::uint64_t seed() const noexcept { return seed_; }

    const TensorTable& tensors() const noexcept { return table_; }
    Buffer<T>& parameters() noexcept { return parameters_; }
    const Buffer<T>& parameters() const noexcept { return parameters_; }
    Buffer<T>& statistics() noexcept { return statistics_; }
    const Buffer<T>& statistics() const noexcept { return statistics_; }
    Buffer<std::int64_t>& counters() noexcept { return counters_; }
    const Buffer<std::int64_t>& counters() const noexcept { return counters_; }

    // How far training has come: shuffles and dropout masks are keyed by it, so that a
    // later fit does not repeat those of an earlier one.
    struct Progress {
        std::int64_t epochs = 0;
        std::int64_t steps = 0;
    };
    Progress& progress() noexcept { return progress_; }
    const Progress& progress() const noexcept { return progress_; }

    const std::vector<Layer<T>>& layers() const noexcept { return layers_; }
    // Slices that cover all parameters, in their order.
    const std::vector<ParameterTile>& parameter_tiles() const noexcept {
        return parameter_tiles_;
    }
    const Wiring& wiring() const noexcept { return wiring_; }
    const InferencePlan& inference_plan() const noexcept { return plan_; }

    // Lets training leave alone what the layers written at these positions own, and
    // train all others. A run that has begun goes on as it was.
    void freeze(const std::vector<Index>& positions);
    // Of each of layers(): whether it is frozen.
    const std::vector<bool>& frozen() const noexcept { return frozen_; }
    // Slices of the parameters that training changes.
    std::vector<ParameterTile> trained_tiles() const;
    Index trained_parameters() const;

    // How much of the network inference runs: `layers` of layers(), the last of them
    // perhaps without its activation.
    struct Depth {
        Index layers;
        bool last_activation;
    };
    Depth whole() const noexcept { return {static_cast<Index>(layers_.size()), true}; }
    // Up to and including the layer written at `position`.
    Depth depth_of(Index position) const;

private:
    class Builder;
    void initialise(const Builder& builder);

    Index in_features_ = 0;
    std::uint64_t seed_ = 0;
    std::vector<Layer<T>> layers_;
    Wiring wiring_;
    InferencePlan plan_;
    std::vector<Index> widths_;     // by position as written
    std::vector<Depth> depths_;     // by position as written
    std::vector<Index> positions_;  // of each of layers_, or of its block, as written
    Index row_elements_ = 0;
    std::vector<bool> frozen_;  // of each of layers_
    std::vector<ParameterTile> parameter_tiles_;
    TensorTable table_;
    Buffer<T> parameters_;
    Buffer<T> statistics_;
    Buffer<std::int64_t> counters_;
    Progress progress_;
};

// Whether no parameter and no statistic is NaN or infinite.
template <class T>
bool is_finite(const Network<T>& network) noexcept;
// What is wrong with one that is not. A variance overflows where inputs are too large
// to be squared, though all weights are well.
template <class T>
const char* what_broke(const Network<T>& network) noexcept;

}  // namespace fastnn
