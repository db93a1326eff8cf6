// Forward, loss and backward of one batch, as phases over row tiles.
//
// Within a phase the tiles do not meet. A network without batch normalisation has a
// single phase: each tile gathers its rows, runs forward, loss and backward. Each
// BatchNorm in training adds two meetings, for its statistics and for their gradient;
// finish_phase is the short sequential part between two phases. A custom loss adds one
// meeting, between forward and backward. After the last phase the gradient of any slice
// of the parameters can be computed over the whole batch.
#pragma once

#include <optional>
#include <vector>

#include "fastnn/nn/augmentation.hpp"
#include "fastnn/nn/packed_weights.hpp"
#include "fastnn/nn/samples.hpp"

namespace fastnn {

// Tiles of rows that a batch is cut into.
Index row_tiles(Index batch) noexcept;

template <class T>
class BatchPass {
public:
    // Allocates all that batches of up to `max_batch` rows need, but for the first to
    // begin: their features may be sparse. What `augment` says is done to the gathered
    // rows, and by mixup to their targets and weights.
    BatchPass(const Network<T>& network,
              const Loss& loss,
              Index max_batch,
              bool training,
              const std::vector<Augment>& augment = {});

    Index max_batch() const noexcept { return max_batch_; }
    // The batch to come: rows[0 .. n) of the samples, or their first n when rows is
    // null.
    void begin(const Samples<T>& samples,
               const Index* rows,
               Index n,
               std::uint64_t seed,
               std::uint32_t step);
    // Some rows of a batch of all samples, whose weights sum to `total_weight`: loss
    // and gradient are their share of its mean, and dropout masks are its rows' own.
    void begin_part(const Samples<T>& samples,
                    Range rows,
                    double total_weight,
                    std::uint64_t seed,
                    std::uint32_t step);

    Index phases() const noexcept { return static_cast<Index>(phases_.size()); }
    Index tiles() const noexcept { return pass_.tiles(); }
    void run_tile(Index phase, Index tile);
    void finish_phase(Index phase);

    // After the last phase: sum of w l and of w over the batch, and the raw outputs.
    double weighted_loss() const noexcept { return weighted_loss_; }
    double total_weight() const noexcept { return total_weight_; }
    Index batch() const noexcept { return pass_.batch; }
    MatrixView<const T> outputs() const noexcept {
        return memory_.back().out.view({0, pass_.batch});
    }

    // The weights the pass reads: to be packed before the first phase and after every
    // change, and then masked, if they are, with the seed and the step of the batch.
    PackedWeights<T>& weights() noexcept { return weights_; }
    const PackedWeights<T>& weights() const noexcept { return weights_; }
    // Gradient of the mean loss for one slice of the parameters.
    void gradient(const ParameterTile& tile, const TileGradient<T>& d) const;
    // The batch's share in the running statistics of BatchNorm layers: their momentum,
    // if not given. Needs the first statistics_phases() in training mode alone.
    void update_running(Network<T>& network,
                        std::optional<double> share = std::nullopt) const;
    Index statistics_phases() const noexcept;

private:
    enum class Action {
        kGather,
        kForward,
        kStatistics,
        kJudge,
        kLoss,
        kBackward,
        kBackwardSums
    };
    struct Step {
        Action action;
        Index layer = 0;
    };

    void plan(bool training);
    void run(const Step& step, const Tile& tile);
    void gather(Range rows);
    // Whether the first layer reads sparse rows where they lie. Others, and dense rows,
    // are gathered.
    bool reads_sparse() const noexcept { return sparse_.starts != nullptr; }
    void loss_of(const Tile& tile);
    MatrixView<const T> input_of(Index layer, Range rows) const;
    MatrixView<T> input_gradient_of(Index layer, Range rows);

    const Network<T>& network_;
    PackedWeights<T> weights_;
    Loss loss_;
    Index max_batch_;
    Pass pass_;
    Samples<T> samples_;
    CsrView<T> sparse_;  // the batch, if the first layer reads it so
    const Index* rows_ = nullptr;
    double total_weight_ = 0;
    double weighted_loss_ = 0;
    std::vector<std::vector<Step>> phases_;
    Matrix<T> x_;  // (max_batch, in): the gathered rows
    std::optional<Augmentation<T>> augmentation_;
    std::vector<LayerMemory<T>> memory_;  // of each layer
    Buffer<double> tile_loss_;
    Buffer<double> row_loss_;  // (max_batch), of a custom loss
};

}  // namespace fastnn
