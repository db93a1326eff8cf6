// A step of L-BFGS on all rows: some iterations, each with the evaluations its line
// search asks for.
//
// An evaluation writes the point that is asked for into the network and packs it; then
// chunk after chunk of the rows goes forward and backward and adds its share of the
// gradient. Chunks depend on the number of rows alone and are added in their order, so
// threads do not change a bit; memory grows with a chunk, not with the data. Batch
// normalisation needs all rows at once: then there is a single chunk.
//
// Dropout masks stay for the whole step, as a line search needs one function.
#pragma once

#include <vector>

#include "fastnn/optim/lbfgs_minimizer.hpp"
#include "fastnn/train/config.hpp"
#include "fastnn/train/step.hpp"

namespace fastnn {

template <class T>
class FullBatchStep final : public Step<T> {
public:
    using typename Step<T>::Outcome;

    FullBatchStep(Network<T>& network,
                  const TrainerConfig& config,
                  optim::LbfgsMinimizer<T>& minimizer,
                  Index rows,
                  int n_threads);
    // An exception may end a run half-way.
    ~FullBatchStep() override { drop(); }
    FullBatchStep(const FullBatchStep&) = delete;
    FullBatchStep& operator=(const FullBatchStep&) = delete;

    // `rows` only order the samples, and L-BFGS takes them as they come.
    void begin(const Samples<T>& samples,
               const Index* rows,
               Index n,
               std::uint32_t key,
               const StepSettings& settings,
               MatrixView<T> outputs) override;
    void pack_first() noexcept override {}  // each evaluation packs
    void forget_rows() noexcept override { known_ = false; }

    Index tiles() const noexcept override;
    void run(Index tile, int rank) override;
    bool may_stop() const noexcept override { return true; }
    void drop() noexcept override;
    Outcome advance() override;

    double first_loss() const noexcept override { return first_loss_; }
    double last_loss() const noexcept override { return loss_; }
    double total_weight() const noexcept override { return total_weight_; }
    double penalty() const noexcept override {
        return config_.penalty_per_row ? penalty_sum() : 0.0;
    }
    const PackedWeights<T>& weights() const noexcept override {
        return pass_.weights();
    }
    Index max_batch() const noexcept override { return rows_; }
    int ranks() const noexcept override { return n_threads_; }

private:
    enum class Stage { kIdle, kPack, kPass, kGradient, kDirection, kOver };

    void pack(const ParameterTile& tile);
    void add_gradient(Index i, const ParameterTile& tile, int rank);
    void evaluate() noexcept;
    void begin_chunk(Index chunk);
    Outcome finish_chunk();
    Outcome finish_evaluation(double objective);
    Outcome follow(optim::LbfgsStatus status);
    Outcome finish_run(optim::LbfgsStatus status);
    double objective() const noexcept;
    double penalty_sum() const noexcept;
    bool is_at_x() const noexcept;
    Range chunk_rows() const noexcept { return tile_range(chunk_, height_, rows_); }
    Index chunks() const noexcept { return ceil_div(rows_, height_); }

    Network<T>& network_;
    const TrainerConfig& config_;
    Penalty penalty_;  // of the step
    optim::LbfgsMinimizer<T>& minimizer_;
    const Index rows_;
    const Index height_;    // rows of a chunk
    const bool is_random_;  // whether masks make each step another function
    const int n_threads_;
    BatchPass<T> pass_;
    std::vector<Buffer<T>> gradient_tile_;  // of each rank
    Buffer<double> tile_penalty_;

    Samples<T> samples_;
    std::uint32_t key_ = 0;
    MatrixView<T> outputs_;
    double total_weight_ = 0;

    Stage stage_ = Stage::kIdle;
    Index chunk_ = 0;
    Index phase_ = 0;
    bool known_ = false;  // whether the last evaluation was of these rows at x
    std::uint64_t known_generation_ = 0;  // of the minimizer then
    bool owes_statistics_ = false;        // x was reached, but not evaluated last
    bool starting_ = false;   // the current evaluation is the first of the step
    bool finishing_ = false;  // x is evaluated once more: it was not the last point
    optim::LbfgsStatus status_ = optim::LbfgsStatus::kEvaluate;  // of the last run
    double loss_ = 0;  // sum of w l of the current or last evaluation
    double first_loss_ = 0;
};

}  // namespace fastnn
