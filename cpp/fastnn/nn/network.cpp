#include "fastnn/nn/network.hpp"

#include <algorithm>
#include <limits>

#include "fastnn/core/error.hpp"
#include "fastnn/kernels/reduce.hpp"

namespace fastnn {
namespace {

const Activation kIdentity = activation::Identity{};

bool takes_activation(const LayerSpec& spec) {
    if (const auto* dense = std::get_if<spec::Dense>(&spec)) {
        return !dense->activation || is_identity(*dense->activation);
    }
    return std::holds_alternative<spec::BatchNorm>(spec) ||
           std::holds_alternative<spec::LayerNorm>(spec) ||
           std::holds_alternative<spec::RmsNorm>(spec) ||
           std::holds_alternative<spec::Residual>(spec);
}

const Activation* as_activation(const LayerSpec& spec) {
    return std::get_if<Activation>(&spec);
}

// All layers in the order they are written, those within blocks in their blocks' place.
void list_inner(const std::vector<LayerSpec>& specs,
                std::vector<const LayerSpec*>& inner) {
    for (const LayerSpec& spec : specs) {
        if (const auto* block = std::get_if<spec::Residual>(&spec)) {
            list_inner(block->layers, inner);
        } else {
            inner.push_back(&spec);
        }
    }
}

}  // namespace

// Makes the layers that a network runs out of those that are written.
template <class T>
class Network<T>::Builder {
public:
    Builder(Network& network, const std::vector<LayerSpec>& specs)
        : network_(network), width_(network.in_features_) {
        list_inner(specs, inner_);
        for (std::size_t i = 0; i < specs.size(); ++i) {
            position_ = static_cast<Index>(i);
            const bool fused = build(specs, i, std::to_string(i));
            end_position(!fused);
            if (fused) {  // the next layer as written is this one's activation
                end_position(true);
                ++i;
            }
        }
    }

    // How a dense layer's weights start.
    struct Start {
        Index layer;
        InitialWeights how;
        Index number;  // keys the random numbers
    };
    const std::vector<Start>& starts() const noexcept { return starts_; }
    // Layers with a learned slope, and their first.
    const std::vector<std::pair<Index, double>>& slopes() const noexcept {
        return slopes_;
    }

private:
    // Builds the layer at i, with the activation after it if that can be taken in.
    bool build(const std::vector<LayerSpec>& specs, std::size_t i, std::string name) {
        const LayerSpec& spec = specs[i];
        const bool fused = i + 1 < specs.size() && takes_activation(spec) &&
                           as_activation(specs[i + 1]);
        const Activation f = fused ? *as_activation(specs[i + 1]) : kIdentity;
        if (const auto* block = std::get_if<spec::Residual>(&spec)) {
            build_block(*block, name, f);
        } else {
            ++read_;
            build_layer(spec, name, f, fused);
            ++number_;
        }
        network_.row_elements_ += (fused ? 2 : 1) * width_;
        if (fused) {
            ++read_;
            ++number_;
        }
        return fused;
    }

    void build_layer(const LayerSpec& spec,
                     const std::string& name,
                     const Activation& f,
                     bool fused) {
        TensorTable& table = network_.table_;
        if (const auto* dense = std::get_if<spec::Dense>(&spec)) {
            const Activation own = dense->activation.value_or(kIdentity);
            build_dense(*dense, name, fused ? f : own, number_);
        } else if (const auto* maxout = std::get_if<spec::Maxout>(&spec)) {
            build_maxout(*maxout, name);
        } else if (const auto* batch = std::get_if<spec::BatchNorm>(&spec)) {
            add(BatchNorm<T>(name, width_, batch->eps, batch->momentum, batch->lr_scale,
                             f, table));
        } else if (const auto* row = std::get_if<spec::LayerNorm>(&spec)) {
            add(LayerNorm<T>(name, width_, row->eps, row->lr_scale, f, table));
        } else if (const auto* rms = std::get_if<spec::RmsNorm>(&spec)) {
            const double eps = rms->eps.value_or(std::numeric_limits<T>::epsilon());
            add(RmsNorm<T>(name, width_, eps, rms->lr_scale, f, table));
        } else if (const auto* prelu = std::get_if<spec::Prelu>(&spec)) {
            slopes_.emplace_back(next_layer(), prelu->init);
            add(Prelu<T>(name, width_, prelu->per_unit, prelu->lr_scale, table));
        } else if (const auto* dropout = std::get_if<spec::Dropout>(&spec)) {
            add(Dropout<T>{{{{width_}, number_}}, dropout->p});
        } else if (const auto* alpha = std::get_if<spec::AlphaDropout>(&spec)) {
            add(AlphaDropout<T>{{{{width_}, number_}}, alpha->p});
        } else if (const auto* noise = std::get_if<spec::GaussianNoise>(&spec)) {
            add(GaussianNoise<T>{{{width_}, number_}, noise->deviation});
        } else {
            add(ActivationLayer<T>{{width_}, *as_activation(spec)});
        }
    }

    void build_dense(const spec::Dense& dense,
                     const std::string& name,
                     const Activation& f,
                     Index number) {
        check_width(name, dense.in_features);
        starts_.push_back(
            {next_layer(), {dense.init, before_rectifier(dense)}, number});
        add(Dense<T>(name, number, width_, dense.units, dense.use_bias, dense.lr_scale,
                     f, network_.table_, dense.weight_norm, dense.dropconnect));
        width_ = dense.units;
    }

    // All pieces by one product, then the largest of each unit.
    void build_maxout(const spec::Maxout& maxout, const std::string& name) {
        check_width(name, maxout.in_features);
        starts_.push_back({next_layer(), {maxout.init, false, maxout.pieces}, number_});
        add(Dense<T>(name, number_, width_, maxout.rows(), true, maxout.lr_scale,
                     kIdentity, network_.table_));
        width_ = maxout.units;
        add(LargestPiece<T>{{width_}});
    }

    void check_width(const std::string& name, const std::optional<Index>& declared) {
        require(!declared || *declared == width_, "in_features of layer " + name,
                declared.value_or(0),
                std::to_string(width_) + ", the width it is given");
    }

    // Inner layers, then the projection if there is one, then the sum.
    void build_block(const spec::Residual& block,
                     const std::string& name,
                     const Activation& f) {
        const Index source = source_, width = width_, number = number_++;
        for (std::size_t i = 0; i < block.layers.size(); ++i) {
            const bool fused = build(block.layers, i, name + "." + std::to_string(i));
            if (fused) ++i;
        }
        const Index branch = source_;
        Index skip = source;
        require(block.projection.value_or(true) || width_ == width,
                "the width that the layers of residual block " + name + " give", width_,
                std::to_string(width) + " as it is given: it has no projection");
        if (block.projection.value_or(width_ != width)) {
            spec::Dense projection;
            projection.units = width_;
            projection.use_bias = false;
            projection.lr_scale = block.lr_scale;
            source_ = source;
            width_ = width;
            build_dense(projection, name + ".projection", kIdentity, number);
            skip = source_;
        }
        source_ = branch;
        add(Add<T>{{width_}, block.survival, number, f}, skip);
    }

    // Whether the activation that acts on a dense layer's outputs, past normalisation,
    // dropout and the ends of blocks, is of the rectifier family: that decides the
    // initial weights.
    bool before_rectifier(const spec::Dense& dense) const {
        if (dense.activation) return is_rectifier(*dense.activation);
        for (std::size_t k = read_; k < inner_.size(); ++k) {
            if (const Activation* f = as_activation(*inner_[k]))
                return is_rectifier(*f);
            if (std::holds_alternative<spec::Prelu>(*inner_[k])) return true;
            if (std::holds_alternative<spec::Dense>(*inner_[k])) break;
            if (std::holds_alternative<spec::Maxout>(*inner_[k])) break;
        }
        return false;
    }

    Index next_layer() const { return static_cast<Index>(network_.layers_.size()); }
    template <class L, class... Skip>
    void add(L layer, Skip... skip) {
        network_.layers_.push_back(std::move(layer));
        network_.wiring_.add(source_, skip...);
        network_.positions_.push_back(position_);
        source_ = static_cast<Index>(network_.layers_.size()) - 1;
    }
    void end_position(bool last_activation) {
        network_.widths_.push_back(width_);
        network_.depths_.push_back({source_ + 1, last_activation});
    }

    Network& network_;
    std::vector<const LayerSpec*> inner_;  // as written, without blocks
    std::size_t read_ = 0;                 // of these
    Index position_ = 0;                   // of the layer or outermost block
    Index number_ = 0;          // of all as written, a block before those within
    Index source_ = kFeatures;  // whose outputs the next layer reads ...
    Index width_;               // ... and their width
    std::vector<Start> starts_;
    std::vector<std::pair<Index, double>> slopes_;
};

template <class T>
Network<T>::Network(const std::vector<LayerSpec>& specs,
                    Index in_features,
                    std::uint64_t seed)
    : in_features_(in_features), seed_(seed) {
    require(!specs.empty(), "layers", "none", "at least one layer");
    require(in_features >= 1, "in_features", in_features, "an integer >= 1");
    const Builder builder(*this, specs);
    std::vector<bool> idle;
    for (const Layer<T>& layer : layers_) {
        idle.push_back(is_noise(layer));
    }
    plan_ = InferencePlan(wiring_, idle);
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
    initialise(builder);
}

template <class T>
void Network<T>::initialise(const Builder& builder) {
    for (const auto& start : builder.starts()) {
        std::get<Dense<T>>(layers_[static_cast<std::size_t>(start.layer)])
            .initialise(parameters_.data(), start.how,
                        Generator(seed_, stream_of(Purpose::kInit, start.number)));
    }
    for (const auto& [layer, slope] : builder.slopes()) {
        std::get<Prelu<T>>(layers_[static_cast<std::size_t>(layer)])
            .initialise(parameters_.data(), slope);
    }
    for (const Layer<T>& layer : layers_) {
        if (const auto* batch = std::get_if<BatchNorm<T>>(&layer)) {
            batch->initialise(parameters_.data(), statistics_.data());
        } else if (const auto* row = std::get_if<LayerNorm<T>>(&layer)) {
            row->initialise(parameters_.data());
        } else if (const auto* rms = std::get_if<RmsNorm<T>>(&layer)) {
            rms->initialise(parameters_.data());
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

template <class T>
bool is_finite(const Network<T>& network) noexcept {
    return all_finite<T>(network.parameters().view()) &&
           all_finite<T>(network.statistics().view());
}

template <class T>
const char* what_broke(const Network<T>& network) noexcept {
    return all_finite<T>(network.parameters().view())
               ? "a running statistic became infinite or nan"
               : "a weight became infinite or nan";
}

template class Network<float>;
template class Network<double>;
template bool is_finite(const Network<float>&) noexcept;
template bool is_finite(const Network<double>&) noexcept;
template const char* what_broke(const Network<float>&) noexcept;
template const char* what_broke(const Network<double>&) noexcept;

}  // namespace fastnn
