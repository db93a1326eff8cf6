#include "fastnn/train/full_batch_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fastnn/kernels/vectors.hpp"

namespace fastnn {
namespace {

using optim::LbfgsStatus;

// Tall enough that many threads have tiles of it and that the gradient is seldom added
// up, low enough that the activations stay small.
constexpr Index kChunk = 1024;

template <class T>
bool needs_all_rows(const Network<T>& network) {
    return std::any_of(network.layers().begin(), network.layers().end(),
                       [](const Layer<T>& layer) {
                           return std::holds_alternative<BatchNorm<T>>(layer);
                       });
}

template <class T>
bool has_masks(const Network<T>& network) {
    return std::any_of(network.layers().begin(), network.layers().end(),
                       [](const Layer<T>& layer) { return is_random(layer); });
}

template <class T>
Index chunk_height(const Network<T>& network, Index rows) {
    return needs_all_rows(network) ? rows : std::min(rows, kChunk);
}

template <class T>
VectorView<T> part(T* flat, Range r) noexcept {
    return {flat + r.begin, r.size()};
}

}  // namespace

template <class T>
FullBatchStep<T>::FullBatchStep(Network<T>& network,
                                const TrainerConfig& config,
                                optim::LbfgsMinimizer<T>& minimizer,
                                Index rows,
                                int n_threads)
    : network_(network),
      config_(config),
      minimizer_(minimizer),
      rows_(rows),
      height_(chunk_height(network, rows)),
      is_random_(has_masks(network)),
      n_threads_(n_threads),
      pass_(network, config.loss, height_, /*training=*/true),
      gradient_tile_(static_cast<std::size_t>(chunks() > 1 ? n_threads : 0)) {
    for (Buffer<T>& buffer : gradient_tile_) {
        buffer.resize(largest_tile(network.parameter_tiles()));
    }
    tile_penalty_.resize(static_cast<Index>(network.parameter_tiles().size()));
}

template <class T>
void FullBatchStep<T>::begin(const Samples<T>& samples,
                             const Index*,
                             Index n,
                             std::uint32_t key,
                             const StepSettings& settings,
                             MatrixView<T> outputs) {
    samples_ = samples;
    key_ = key;
    outputs_ = outputs;
    total_weight_ = samples.total_weight(nullptr, n);
    penalty_ = config_.penalty_in_batch(total_weight_);
    starting_ = finishing_ = owes_statistics_ = false;
    // A callback may have trained other rows meanwhile.
    const bool untouched = minimizer_.generation() == known_generation_;
    if (known_ && untouched && is_at_x()) {
        first_loss_ = loss_;
        status_ = minimizer_.proceed(settings.lr());
    } else {
        minimizer_.begin(network_.parameters().data(), settings.lr());
        starting_ = true;
        status_ = LbfgsStatus::kEvaluate;
    }
    stage_ = Stage::kOver;
    if (status_ == LbfgsStatus::kDirection) stage_ = Stage::kDirection;
    if (status_ == LbfgsStatus::kEvaluate) evaluate();
}

// Whether the parameters are as the last step left them.
template <class T>
bool FullBatchStep<T>::is_at_x() const noexcept {
    const Buffer<T>& x = minimizer_.x();
    return std::equal(x.data(), x.data() + x.size(), network_.parameters().data());
}

template <class T>
void FullBatchStep<T>::evaluate() noexcept {
    known_ = false;
    loss_ = 0;
    stage_ = Stage::kPack;
}

template <class T>
void FullBatchStep<T>::begin_chunk(Index chunk) {
    chunk_ = chunk;
    phase_ = 0;
    pass_.begin_part(samples_, chunk_rows(), total_weight_, network_.seed(), key_);
    stage_ = Stage::kPass;
}

template <class T>
Index FullBatchStep<T>::tiles() const noexcept {
    switch (stage_) {
        case Stage::kPass:
            return pass_.tiles();
        case Stage::kPack:
        case Stage::kGradient:
            return static_cast<Index>(network_.parameter_tiles().size());
        case Stage::kDirection:
            return minimizer_.tiles();
        case Stage::kIdle:
        case Stage::kOver:
            break;
    }
    return 0;
}

template <class T>
void FullBatchStep<T>::run(Index i, int rank) {
    if (stage_ == Stage::kPass) return pass_.run_tile(phase_, i);
    if (stage_ == Stage::kDirection) return minimizer_.run(i);
    const ParameterTile& tile = network_.parameter_tiles()[static_cast<std::size_t>(i)];
    if (stage_ == Stage::kPack) return pack(tile);
    add_gradient(i, tile, rank);
}

template <class T>
void FullBatchStep<T>::pack(const ParameterTile& tile) {
    const T* from = (finishing_ ? minimizer_.x() : minimizer_.point()).data();
    T* parameters = network_.parameters().data();
    if (pass_.has_gradient(tile.layer)) {
        for (const Range r : {tile.weight, tile.bias, tile.gain}) {
            std::copy_n(from + r.begin, r.size(), parameters + r.begin);
        }
    }
    pass_.weights().pack(tile);
    pass_.weights().mask(tile, network_.seed(), key_);
}

// The first chunk brings the penalty along. Where the gradient of frozen layers would
// be there are zeros, so that no direction leads there.
template <class T>
void FullBatchStep<T>::add_gradient(Index i, const ParameterTile& tile, int rank) {
    T* total = minimizer_.gradient();
    if (!pass_.has_gradient(tile.layer)) {
        for (const Range r : {tile.weight, tile.bias, tile.gain}) {
            std::fill_n(total + r.begin, r.size(), T(0));
        }
        return;
    }
    if (chunk_ == 0) {
        const T* parameters = network_.parameters().data();
        const auto d = TileGradient<T>::among(total, tile);
        pass_.gradient(tile, d);
        add_penalty_gradient<T>(penalty_, parameters, tile, d);
        tile_penalty_[i] = penalty_value<T>(penalty_, parameters, tile);
        return;
    }
    const auto d = TileGradient<T>::alone(
        gradient_tile_[static_cast<std::size_t>(rank)].data(), tile);
    pass_.gradient(tile, d);
    d.for_each(tile, [&](Range range, VectorView<T> share) {
        add_scaled<T>(1, share, part(total, range));
    });
}

template <class T>
typename FullBatchStep<T>::Outcome FullBatchStep<T>::advance() {
    switch (stage_) {
        case Stage::kPack:
            begin_chunk(0);
            return Outcome::kMore;
        case Stage::kPass:
            pass_.finish_phase(phase_);
            return ++phase_ < pass_.phases() ? Outcome::kMore : finish_chunk();
        case Stage::kGradient:
            if (chunk_ + 1 == chunks()) return finish_evaluation(objective());
            begin_chunk(chunk_ + 1);
            return Outcome::kMore;
        case Stage::kDirection:
            return follow(minimizer_.advance());
        case Stage::kIdle:
        case Stage::kOver:
            break;
    }
    return finish_run(status_);
}

template <class T>
typename FullBatchStep<T>::Outcome FullBatchStep<T>::finish_chunk() {
    loss_ += pass_.weighted_loss();
    if (!std::isfinite(loss_)) return finish_evaluation(loss_);
    if (outputs_.data) copy_rows<T>(pass_.outputs(), outputs_.row_slice(chunk_rows()));
    stage_ = Stage::kGradient;
    return Outcome::kMore;
}

template <class T>
double FullBatchStep<T>::objective() const noexcept {
    return loss_ / total_weight_ + penalty_sum();
}

template <class T>
double FullBatchStep<T>::penalty_sum() const noexcept {
    double sum = 0;
    for (Index i = 0; i < tile_penalty_.size(); ++i) sum += tile_penalty_[i];
    return sum;
}

template <class T>
typename FullBatchStep<T>::Outcome FullBatchStep<T>::finish_evaluation(
    double objective) {
    if (finishing_) {
        if (owes_statistics_) pass_.update_running(network_);
        return finish_run(status_);
    }
    const Index iterations = minimizer_.iterations();
    if (std::exchange(starting_, false)) first_loss_ = loss_;
    const LbfgsStatus status = minimizer_.tell_by_stages(objective);
    const bool moved = minimizer_.iterations() > iterations;
    if (moved) {
        owes_statistics_ = !minimizer_.was_told_at_x();
        if (!owes_statistics_) pass_.update_running(network_);
    }
    return follow(status);
}

template <class T>
typename FullBatchStep<T>::Outcome FullBatchStep<T>::follow(LbfgsStatus status) {
    status_ = status;
    if (status_ == LbfgsStatus::kEvaluate) {
        evaluate();
        return Outcome::kMore;
    }
    if (status_ == LbfgsStatus::kDirection) {
        stage_ = Stage::kDirection;
        return Outcome::kMore;
    }
    if (status_ == LbfgsStatus::kNotFinite || minimizer_.was_told_at_x()) {
        return finish_run(status_);
    }
    // Outputs, packed weights and loss are to be those of x.
    finishing_ = true;
    evaluate();
    return Outcome::kMore;
}

template <class T>
typename FullBatchStep<T>::Outcome FullBatchStep<T>::finish_run(LbfgsStatus status) {
    if (status == LbfgsStatus::kNotFinite) {
        drop();
        return Outcome::kNotFinite;
    }
    stage_ = Stage::kIdle;
    known_ = !is_random_;
    known_generation_ = minimizer_.generation();
    const bool stuck =
        optim::has_converged(status) || status == LbfgsStatus::kNoLowerValue;
    return stuck && !is_random_ ? Outcome::kConverged : Outcome::kDone;
}

template <class T>
void FullBatchStep<T>::drop() noexcept {
    if (stage_ == Stage::kIdle) return;
    stage_ = Stage::kIdle;
    known_ = false;
    const T* x = minimizer_.x().data();
    for (const ParameterTile& tile : network_.parameter_tiles()) {
        if (!pass_.has_gradient(tile.layer)) continue;
        for (const Range r : {tile.weight, tile.bias, tile.gain}) {
            std::copy_n(x + r.begin, r.size(), network_.parameters().data() + r.begin);
        }
    }
}

template class FullBatchStep<float>;
template class FullBatchStep<double>;

}  // namespace fastnn
