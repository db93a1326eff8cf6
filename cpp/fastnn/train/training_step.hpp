// One step of training: forward, loss, backward, update, as stages over tiles.
//
// The gradient of a slice of the parameters is computed over the whole batch into a
// buffer that stays in a core's cache, where penalty, clipping and update rule use it
// at once; it never travels to memory. Clipping by norm needs all gradients first and
// takes a stage more; so do updates so long that a Ctrl-C must be able to end them
// half-way.
#pragma once

#include <vector>

#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/optim/optimizer.hpp"
#include "fastnn/train/config.hpp"

namespace fastnn {

template <class T>
class TrainingStep {
public:
    TrainingStep(Network<T>& network,
                 const TrainerConfig& config,
                 optim::Optimizer<T>& optimizer,
                 Index max_batch,
                 int n_threads);

    // Prepares the batch rows[0 .. n) of the samples (the first n when rows is null).
    // `key` tells its dropout masks from those of other steps.
    void begin(const Samples<T>& samples,
               const Index* rows,
               Index n,
               std::uint32_t key,
               double lr);

    // The step to begin packs the weights: somebody else may have changed them.
    void pack_first() noexcept { packed_ = false; }

    // The current stage, for run_job.
    Index tiles() const noexcept;
    void run(Index tile, int rank);
    // Whether the parameters are still as the last step left them.
    bool is_untouched() const noexcept { return stage_ != Stage::kUpdate; }

    enum class Outcome { kMore, kDone, kNotFinite };
    // Goes to the next stage. kNotFinite: the loss is not, and nothing was updated.
    Outcome advance();

    const BatchPass<T>& pass() const noexcept { return pass_; }
    Index max_batch() const noexcept { return pass_.max_batch(); }
    int ranks() const noexcept { return static_cast<int>(gradient_tile_.size()); }

private:
    enum class Stage { kPack, kPass, kGradient, kUpdate };

    void compute_gradient(const ParameterTile& tile, T* dweight, T* dbias);
    void update(const ParameterTile& tile, const T* dweight, const T* dbias);
    void begin_update();
    void clip_norm();
    // Whether all gradients are computed before the first update.
    bool gradients_first() const noexcept { return gradients_.size() > 0; }

    Network<T>& network_;
    const TrainerConfig& config_;
    optim::Optimizer<T>& optimizer_;
    BatchPass<T> pass_;
    double lr_ = 0;
    Stage stage_ = Stage::kPack;
    bool packed_ = false;
    Index phase_ = 0;
    std::vector<Buffer<T>> gradient_tile_;  // of each rank
    Buffer<T> gradients_;                   // flat, only when gradients come first
    Buffer<double> tile_norm_;              // squared norm of each parameter tile
};

}  // namespace fastnn
