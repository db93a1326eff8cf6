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

// Of which parameters a pass gives the gradient: of those that training changes, or of
// frozen layers too.
enum class Gradients { kTrained, kAll };

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
              Gradients gradients = Gradients::kTrained,
              const std::vector<Augment>& augment = {});

    // The rates of layers that drop elements, from the next batch on: rate(p) for each
    // layer's own p.
    template <class Rate>
    void set_dropout(const Rate& rate) {
        for (std::size_t k = 0; k < rates_.size(); ++k) {
            std::visit(
                [&](const auto& layer) {
                    if constexpr (requires { layer.p; }) rates_[k] = rate(layer.p);
                },
                network_.layers()[k]);
        }
    }
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
    // Whether there is a gradient of this layer's parameters.
    bool has_gradient(Index layer) const noexcept {
        return has_gradient_[static_cast<std::size_t>(layer)];
    }
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
        // Backward: others that read the same have written its gradient before.
        bool adds = false;
    };

    void plan();
    // The pass as this layer is to see it: a frozen BatchNorm is in inference mode.
    Pass pass_of(Index layer) const noexcept;
    bool takes_statistics(Index layer) const noexcept;
    void plan_backward(Index layer, std::vector<bool>& written);
    void find_reached();
    bool reaches(Index source) const noexcept;
    void run(const Step& step, const Tile& tile);
    void run_add(const Add<T>& add, const Step& step, const Tile& tile);
    void gather(Range rows);
    // Whether the first layer reads sparse rows where they lie, as nobody else reads
    // them. Others, and dense rows, are gathered.
    bool reads_sparse() const noexcept { return sparse_.starts != nullptr; }
    void loss_of(const Tile& tile);
    // Outputs of a layer, or the features.
    MatrixView<const T> output_of(Index source, Range rows) const;
    MatrixView<const T> input_of(Index layer, Range rows) const;
    // Where the gradient of a layer's outputs lies; empty if nobody needs it.
    MatrixView<T> gradient_of(Index source, Range rows);
    // Where a layer writes the gradient of its input: there, or what is to be added.
    MatrixView<T> input_gradient_of(const Step& step, Range rows);

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
    std::vector<bool> frozen_;        // of each layer, when the pass was made
    std::vector<bool> has_gradient_;  // of each layer
    std::vector<double> rates_;       // of each layer that drops elements
    std::vector<std::vector<Step>> phases_;
    std::vector<bool> reached_;  // of each layer: gradients reach its outputs
    Matrix<T> share_;            // (max_batch, widest) to be added to a gradient
    Matrix<T> x_;                // (max_batch, in): the gathered rows
    std::optional<Augmentation<T>> augmentation_;
    std::vector<LayerMemory<T>> memory_;  // of each layer
    Buffer<double> tile_loss_;
    Buffer<double> row_loss_;  // (max_batch), of a custom loss
};

}  // namespace fastnn
