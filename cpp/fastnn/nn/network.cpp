#include "fastnn/nn/network.hpp"

#include <algorithm>

#include "fastnn/core/error.hpp"

namespace fastnn {
namespace {

const Activation kIdentity = activation::Identity{};

bool takes_activation(const LayerSpec& spec) {
    if (const auto* dense = std::get_if<spec::Dense>(&spec)) {
        return !dense->activation || is_identity(*dense->activation);
    }
    return std::holds_alternative<spec::BatchNorm>(spec) ||
           std::holds_alternative<spec::LayerNorm>(spec);
}

const Activation* as_activation(const LayerSpec& spec) {
    return std::get_if<Activation>(&spec);
}

// The activation that acts on a dense layer's outputs, past normalisation and dropout:
// its family decides the initial weights.
const Activation* next_activation(const std::vector<LayerSpec>& specs, std::size_t i) {
    const auto& dense = std::get<spec::Dense>(specs[i]);
    if (dense.activation) return &*dense.activation;
    for (std::size_t k = i + 1; k < specs.size(); ++k) {
        if (const Activation* f = as_activation(specs[k])) return f;
        if (std::holds_alternative<spec::Dense>(specs[k])) break;
    }
    return nullptr;
}

}  // namespace

template <class T>
Network<T>::Network(const std::vector<LayerSpec>& specs,
                    Index in_features,
                    std::uint64_t seed)
    : in_features_(in_features), seed_(seed) {
    require(!specs.empty(), "layers", "none", "at least one layer");
    require(in_features >= 1, "in_features", in_features, "an integer >= 1");
    build(specs);
    parameters_.resize(table_.size(Storage::kParameters));
    statistics_.resize(table_.size(Storage::kStatistics));
    counters_.resize(table_.size(Storage::kCounters));
    for (std::size_t k = 0; k < layers_.size(); ++k) {
        const auto tiles = std::visit(
            [&](const auto& l) { return l.parameter_tiles(static_cast<Index>(k)); },
            layers_[k]);
        parameter_tiles_.insert(parameter_tiles_.end(), tiles.begin(), tiles.end());
    }
    frozen_.resize(layers_.size());
    initialise(specs);
}

template <class T>
void Network<T>::build(const std::vector<LayerSpec>& specs) {
    Index width = in_features_;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const auto position = static_cast<Index>(i);
        const bool fused = i + 1 < specs.size() && takes_activation(specs[i]) &&
                           as_activation(specs[i + 1]);
        const Activation f = fused ? *as_activation(specs[i + 1]) : kIdentity;

        if (const auto* dense = std::get_if<spec::Dense>(&specs[i])) {
            require(!dense->in_features || *dense->in_features == width,
                    "in_features of layer " + std::to_string(i),
                    dense->in_features.value_or(0),
                    std::to_string(width) + ", the width it is given");
            const Activation own = dense->activation.value_or(kIdentity);
            layers_.push_back(Dense<T>(position, width, dense->units, dense->use_bias,
                                       dense->lr_scale, fused ? f : own, table_));
            width = dense->units;
        } else if (const auto* batch = std::get_if<spec::BatchNorm>(&specs[i])) {
            layers_.push_back(BatchNorm<T>(position, width, batch->eps, batch->momentum,
                                           batch->lr_scale, f, table_));
        } else if (const auto* row = std::get_if<spec::LayerNorm>(&specs[i])) {
            layers_.push_back(
                LayerNorm<T>(position, width, row->eps, row->lr_scale, f, table_));
        } else if (const auto* dropout = std::get_if<spec::Dropout>(&specs[i])) {
            layers_.push_back(Dropout<T>{{width}, dropout->p, position});
        } else {
            layers_.push_back(ActivationLayer<T>{{width}, *as_activation(specs[i])});
        }
        positions_.push_back(position);
        const auto built = static_cast<Index>(layers_.size());
        widths_.push_back(width);
        depths_.push_back({built, !fused});
        if (fused) {  // the next layer as written is this one's activation
            widths_.push_back(width);
            depths_.push_back({built, true});
            ++i;
        }
    }
}

template <class T>
void Network<T>::initialise(const std::vector<LayerSpec>& specs) {
    for (std::size_t k = 0; k < layers_.size(); ++k) {
        const auto i = static_cast<std::size_t>(positions_[k]);
        if (auto* dense = std::get_if<Dense<T>>(&layers_[k])) {
            const Activation* next = next_activation(specs, i);
            dense->initialise(
                parameters_.data(), std::get<spec::Dense>(specs[i]).init,
                next && is_rectifier(*next),
                Generator(seed_, stream_of(Purpose::kInit, positions_[k])));
        } else if (auto* batch = std::get_if<BatchNorm<T>>(&layers_[k])) {
            batch->initialise(parameters_.data(), statistics_.data());
        } else if (auto* row = std::get_if<LayerNorm<T>>(&layers_[k])) {
            row->initialise(parameters_.data());
        }
    }
}

template <class T>
void Network<T>::freeze(const std::vector<Index>& positions) {
    for (const Index position : positions) depth_of(position);  // is it one?
    for (std::size_t k = 0; k < layers_.size(); ++k) {
        frozen_[k] = std::find(positions.begin(), positions.end(), positions_[k]) !=
                     positions.end();
    }
}

template <class T>
std::vector<ParameterTile> Network<T>::trained_tiles() const {
    std::vector<ParameterTile> tiles;
    for (const ParameterTile& tile : parameter_tiles_) {
        if (!frozen_[static_cast<std::size_t>(tile.layer)]) tiles.push_back(tile);
    }
    return tiles;
}

template <class T>
Index Network<T>::trained_parameters() const {
    Index n = 0;
    for (const ParameterTile& tile : trained_tiles()) n += tile.size();
    return n;
}

template <class T>
typename Network<T>::Depth Network<T>::depth_of(Index position) const {
    const auto n = static_cast<Index>(depths_.size());
    require(
        position >= -n && position < n, "layer", position,
        "a layer index from " + std::to_string(-n) + " to " + std::to_string(n - 1));
    return depths_[static_cast<std::size_t>(position < 0 ? position + n : position)];
}

template class Network<float>;
template class Network<double>;

}  // namespace fastnn
