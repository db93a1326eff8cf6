// A step of an update rule: forward, loss, backward, update, as stages over tiles.
//
// The gradient of a slice of the parameters is computed over the whole batch into a
// buffer that stays in a core's cache, where penalty, noise, clipping and update use it
// at once; it never travels to memory. Clipping by norm needs all gradients first and
// takes a stage more; so do updates so long that a Ctrl-C must be able to end them
// half-way.
#pragma once

#include <cstdint>
#include <vector>

#include "fastnn/kernels/normal_noise.hpp"
#include "fastnn/optim/optimizer.hpp"
#include "fastnn/train/config.hpp"
#include "fastnn/train/step.hpp"

namespace fastnn {

template <class T>
class TrainingStep final : public Step<T> {
public:
    using typename Step<T>::Outcome;

    TrainingStep(Network<T>& network,
                 const TrainerConfig& config,
                 optim::Optimizer<T>& optimizer,
                 Index max_batch,
                 int n_threads,
                 const std::vector<Augment>& augment);

    void begin(const Samples<T>& samples,
               const Index* rows,
               Index n,
               std::uint32_t key,
               const StepSettings& settings,
               MatrixView<T> outputs) override;
    void pack_first() noexcept override { packed_ = false; }

    Index tiles() const noexcept override;
    void run(Index tile, int rank) override;
    // Until the first update the parameters are as the last step left them.
    bool may_stop() const noexcept override { return stage_ != Stage::kUpdate; }
    void drop() noexcept override {}
    Outcome advance() override;

    double first_loss() const noexcept override { return pass_.weighted_loss(); }
    double last_loss() const noexcept override { return pass_.weighted_loss(); }
    double total_weight() const noexcept override { return pass_.total_weight(); }
    double penalty() const noexcept override;
    const PackedWeights<T>& weights() const noexcept override {
        return pass_.weights();
    }
    Index max_batch() const noexcept override { return pass_.max_batch(); }
    int ranks() const noexcept override {
        return static_cast<int>(gradient_tile_.size());
    }

private:
    enum class Stage { kPack, kPass, kGradient, kUpdate };

    // What is to be changed beside its gradient's tile: pack stages visit all.
    const std::vector<ParameterTile>& stage_tiles() const noexcept {
        return stage_ == Stage::kPack ? network_.parameter_tiles() : tiles_;
    }
    void pack(const ParameterTile& tile);
    void compute_gradient(Index i, const TileGradient<T>& d);
    void update(const ParameterTile& tile, const TileGradient<T>& d);
    void begin_update();
    void clip_norm();
    // Whether all gradients are computed before the first update.
    bool gradients_first() const noexcept { return gradients_.size() > 0; }

    Network<T>& network_;
    const TrainerConfig& config_;
    optim::Optimizer<T>& optimizer_;
    BatchPass<T> pass_;
    const std::vector<ParameterTile> tiles_;  // of the parameters it changes
    Penalty penalty_;                         // in this batch
    MatrixView<T> outputs_;  // where the batch's raw outputs are wanted, or empty
    StepSettings settings_;
    RandomKey noise_key_;
    double noise_ = 0;       // deviation of the gradient's noise
    std::uint32_t key_ = 0;  // of what is random in this step
    Stage stage_ = Stage::kPack;
    bool packed_ = false;
    Index phase_ = 0;
    std::vector<Buffer<T>> gradient_tile_;  // of each rank
    Buffer<T> gradients_;                   // flat, only when gradients come first
    Buffer<double> tile_norm_;              // squared norm of each parameter tile
    Buffer<double> tile_penalty_;           // only when it is reported
};

}  // namespace fastnn
