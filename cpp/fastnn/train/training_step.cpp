#include "fastnn/train/training_step.hpp"

#include <algorithm>
#include <cmath>

#include "fastnn/kernels/reduce.hpp"

namespace fastnn {
namespace {

// Multiplications in the gradients of one step (a tenth of a second of a fast core, a
// second of a slow one) from which on they are computed before the first update: until
// then a Ctrl-C can drop the step.
constexpr double kLongStep = 2e10;

// As torch.nn.utils.clip_grad_norm_ has it: no gradient is so small as to divide by 0.
constexpr double kNormEps = 1e-6;

}  // namespace

template <class T>
TrainingStep<T>::TrainingStep(Network<T>& network,
                              const TrainerConfig& config,
                              optim::Optimizer<T>& optimizer,
                              Index max_batch,
                              int n_threads,
                              const std::vector<Augment>& augment)
    : network_(network),
      config_(config),
      optimizer_(optimizer),
      pass_(network,
            config.loss,
            max_batch,
            /*training=*/true,
            Gradients::kTrained,
            augment),
      tiles_(network.trained_tiles()),
      gradient_tile_(static_cast<std::size_t>(n_threads)) {
    if (config.penalty_per_row) {
        tile_penalty_.resize(static_cast<Index>(tiles_.size()));
    }
    const double work = static_cast<double>(network.parameters().size()) *
                        static_cast<double>(max_batch);
    if (config.clip_norm || work > kLongStep) {
        gradients_.resize(network.parameters().size());
        tile_norm_.resize(static_cast<Index>(tiles_.size()));
    } else {
        for (Buffer<T>& buffer : gradient_tile_) {
            buffer.resize(largest_tile(tiles_));
        }
    }
}

template <class T>
void TrainingStep<T>::begin(const Samples<T>& samples,
                            const Index* rows,
                            Index n,
                            std::uint32_t key,
                            const StepSettings& settings,
                            MatrixView<T> outputs) {
    if (settings.dropout) {
        pass_.set_dropout([&](double p) { return settings.dropout_rate(p); });
    }
    pass_.begin(samples, rows, n, network_.seed(), key);
    penalty_ = config_.penalty_in_batch(pass_.total_weight());
    outputs_ = outputs;
    settings_ = settings;
    if (config_.gradient_noise) {
        noise_ = config_.gradient_noise->deviation(optimizer_.step());
        noise_key_ = {network_.seed(), stream_of(Purpose::kGradientNoise), key};
    }
    key_ = key;
    stage_ = packed_ && !pass_.weights().masked() ? Stage::kPass : Stage::kPack;
    phase_ = 0;
}

template <class T>
Index TrainingStep<T>::tiles() const noexcept {
    return stage_ == Stage::kPass ? pass_.tiles()
                                  : static_cast<Index>(stage_tiles().size());
}

template <class T>
void TrainingStep<T>::run(Index i, int rank) {
    if (stage_ == Stage::kPass) return pass_.run_tile(phase_, i);

    const ParameterTile& tile = stage_tiles()[static_cast<std::size_t>(i)];
    if (stage_ == Stage::kPack) return pack(tile);
    if (gradients_first()) {
        const auto d = TileGradient<T>::among(gradients_.data(), tile);
        if (stage_ == Stage::kUpdate) return update(tile, d);
        compute_gradient(i, d);
        tile_norm_[i] = 0;
        d.for_each(tile, [&](Range, VectorView<T> part) {
            tile_norm_[i] += squared_norm<T>(part);
        });
    } else {
        const auto d = TileGradient<T>::alone(
            gradient_tile_[static_cast<std::size_t>(rank)].data(), tile);
        compute_gradient(i, d);
        update(tile, d);
    }
}

template <class T>
void TrainingStep<T>::pack(const ParameterTile& tile) {
    if (!packed_) pass_.weights().pack(tile);
    pass_.weights().mask(tile, network_.seed(), key_);
}

template <class T>
void TrainingStep<T>::compute_gradient(Index i, const TileGradient<T>& d) {
    const ParameterTile& tile = tiles_[static_cast<std::size_t>(i)];
    const T* parameters = network_.parameters().data();
    pass_.gradient(tile, d);
    add_penalty_gradient<T>(penalty_, parameters, tile, d);
    if (tile_penalty_.size() > 0) {
        tile_penalty_[i] = penalty_value<T>(penalty_, parameters, tile);
    }
    if (config_.gradient_noise) {
        d.for_each(tile, [&](Range range, VectorView<T> part) {
            add_normal_noise<T>(part, noise_, noise_key_, range.begin);
        });
    }
    if (config_.clip_value) {
        d.for_each(tile, [&](Range, VectorView<T> part) {
            clip_values<T>(part, *config_.clip_value);
        });
    }
}

template <class T>
double TrainingStep<T>::penalty() const noexcept {
    double sum = 0;
    for (Index i = 0; i < tile_penalty_.size(); ++i) sum += tile_penalty_[i];
    return penalty_.none() ? 0.0 : sum;
}

template <class T>
void TrainingStep<T>::update(const ParameterTile& tile, const TileGradient<T>& d) {
    T* parameters = network_.parameters().data();
    const bool in_one_run =
        tile.weight.end == tile.bias.begin && d.weight + tile.weight.size() == d.bias;
    if (in_one_run) {  // a layer in a single slice: every call costs its set-up
        optimizer_.update({tile.weight.begin, tile.bias.end}, parameters, d.weight,
                          tile.lr_scale);
    } else {
        optimizer_.update(tile.weight, parameters, d.weight, tile.lr_scale);
        optimizer_.update(tile.bias, parameters, d.bias, tile.lr_scale);
    }
    if (tile.gain.size() > 0) {
        optimizer_.update(tile.gain, parameters, d.gain, tile.lr_scale);
    }
    if (config_.max_norm) limit_norms(parameters, tile, *config_.max_norm);
    pass_.weights().pack(tile);
}

template <class T>
typename TrainingStep<T>::Outcome TrainingStep<T>::advance() {
    switch (stage_) {
        case Stage::kPack:
            packed_ = true;
            stage_ = Stage::kPass;
            return Outcome::kMore;
        case Stage::kPass:
            pass_.finish_phase(phase_);
            if (++phase_ < pass_.phases()) return Outcome::kMore;
            if (!std::isfinite(pass_.weighted_loss())) return Outcome::kNotFinite;
            if (outputs_.data) copy_rows<T>(pass_.outputs(), outputs_);
            if (gradients_first()) {
                stage_ = Stage::kGradient;
            } else {
                begin_update();
            }
            return Outcome::kMore;
        case Stage::kGradient:
            if (config_.clip_norm) clip_norm();
            begin_update();
            return Outcome::kMore;
        case Stage::kUpdate:
            pass_.update_running(network_);
            return Outcome::kDone;
    }
    return Outcome::kDone;
}

template <class T>
void TrainingStep<T>::begin_update() {
    optimizer_.begin_step(settings_.rates);
    stage_ = Stage::kUpdate;
}

template <class T>
void TrainingStep<T>::clip_norm() {
    double square = 0;
    for (Index i = 0; i < tile_norm_.size(); ++i) square += tile_norm_[i];
    const double norm = std::sqrt(square);
    const double factor = *config_.clip_norm / (norm + kNormEps);
    if (!(factor < 1)) return;
    for (const ParameterTile& tile : tiles_) {
        const auto d = TileGradient<T>::among(gradients_.data(), tile);
        d.for_each(tile, [&](Range, VectorView<T> part) { scale(part, factor); });
    }
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace fastnn
