#include "fastnn/nn/network.hpp"

#include <algorithm>
#include <limits>

#include "fastnn/core/error.hpp"

namespace fastnn {
namespace {

const Activation kIdentity = activation::Identity{};

bool takes_activation(const LayerSpec& spec) {
    if (const auto* dense = std::get_if<spec::Dense>(&spec)) {
        return !dense->activation || is_identity(*dense->activation);
    }
    return std::holds_alternative<spec::BatchNorm>(spec) ||
           std::holds_alternative<spec::LayerNorm>(spec) ||
           std::holds_alternative<spec::RmsNorm>(spec);
}

const Activation* as_activation(const LayerSpec& spec) {
    return std::get_if<Activation>(&spec);
}

// Whether the activation that acts on a dense layer's outputs, past normalisation and
// dropout, is of the rectifier family: that decides the initial weights.
bool before_rectifier(const std::vector<LayerSpec>& specs, std::size_t i) {
    const auto& dense = std::get<spec::Dense>(specs[i]);
    if (dense.activation) return is_rectifier(*dense.activation);
    for (std::size_t k = i + 1; k < specs.size(); ++k) {
        if (const Activation* f = as_activation(specs[k])) return is_rectifier(*f);
        if (std::holds_alternative<spec::Prelu>(specs[k])) return true;
        if (std::holds_alternative<spec::Dense>(specs[k])) break;
        if (std::holds_alternative<spec::Maxout>(specs[k])) break;
    }
    return false;
}

InitialWeights initial_weights(const std::vector<LayerSpec>& specs, std::size_t i) {
    if (const auto* maxout = std::get_if<spec::Maxout>(&specs[i])) {
        return {maxout->init, false, maxout->pieces};
    }
    return {std::get<spec::Dense>(specs[i]).init, before_rectifier(specs, i)};
}

void check_width(std::size_t i, const std::optional<Index>& declared, Index width) {
    require(!declared || *declared == width,
            "in_features of layer " + std::to_string(i), declared.value_or(0),
            std::to_string(width) + ", the width it is given");
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
            check_width(i, dense->in_features, width);
            const Activation own = dense->activation.value_or(kIdentity);
            layers_.push_back(Dense<T>(position, width, dense->units, dense->use_bias,
                                       dense->lr_scale, fused ? f : own, table_,
                                       dense->weight_norm, dense->dropconnect));
            width = dense->units;
        } else if (const auto* maxout = std::get_if<spec::Maxout>(&specs[i])) {
            check_width(i, maxout->in_features, width);
            layers_.push_back(Dense<T>(position, width, maxout->rows(), true,
                                       maxout->lr_scale, kIdentity, table_));
            positions_.push_back(position);
            width = maxout->units;
            layers_.push_back(LargestPiece<T>{{width}});
        } else if (const auto* batch = std::get_if<spec::BatchNorm>(&specs[i])) {
            layers_.push_back(
                BatchNorm<T>(position, width, batch->eps, batch->momentum, f, table_));
        } else if (const auto* row = std::get_if<spec::LayerNorm>(&specs[i])) {
            layers_.push_back(LayerNorm<T>(position, width, row->eps, f, table_));
        } else if (const auto* rms = std::get_if<spec::RmsNorm>(&specs[i])) {
            const double eps = rms->eps.value_or(std::numeric_limits<T>::epsilon());
            layers_.push_back(RmsNorm<T>(position, width, eps, f, table_));
        } else if (const auto* prelu = std::get_if<spec::Prelu>(&specs[i])) {
            layers_.push_back(Prelu<T>(position, width, prelu->per_unit, table_));
        } else if (const auto* dropout = std::get_if<spec::Dropout>(&specs[i])) {
            layers_.push_back(Dropout<T>{{{{width}, position}}, dropout->p});
        } else if (const auto* alpha = std::get_if<spec::AlphaDropout>(&specs[i])) {
            layers_.push_back(AlphaDropout<T>{{{{width}, position}}, alpha->p});
        } else if (const auto* noise = std::get_if<spec::GaussianNoise>(&specs[i])) {
            layers_.push_back(GaussianNoise<T>{{{width}, position}, noise->deviation});
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
            dense->initialise(
                parameters_.data(), initial_weights(specs, i),
                Generator(seed_, stream_of(Purpose::kInit, positions_[k])));
        } else if (auto* batch = std::get_if<BatchNorm<T>>(&layers_[k])) {
            batch->initialise(parameters_.data(), statistics_.data());
        } else if (auto* row = std::get_if<LayerNorm<T>>(&layers_[k])) {
            row->initialise(parameters_.data());
        } else if (auto* rms = std::get_if<RmsNorm<T>>(&layers_[k])) {
            rms->initialise(parameters_.data());
        } else if (auto* prelu = std::get_if<Prelu<T>>(&layers_[k])) {
            prelu->initialise(parameters_.data(), std::get<spec::Prelu>(specs[i]).init);
        }
    }
}

template <class T>
bool Network<T>::needs_input_gradient(Index layer) const noexcept {
    return std::any_of(layers_.begin(), layers_.begin() + layer, [](const Layer<T>& l) {
        return std::visit([](const auto& x) { return x.has_parameters(); }, l);
    });
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
