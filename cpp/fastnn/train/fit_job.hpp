// The run of one fit: which stage follows which. Tiles run on all threads; everything
// else (batches, epochs, validation, stopping) is sequential and lives in advance().
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "fastnn/train/averaging.hpp"
#include "fastnn/train/divergence_watch.hpp"
#include "fastnn/train/evaluation.hpp"
#include "fastnn/train/snapshot.hpp"
#include "fastnn/train/trainer.hpp"

namespace fastnn {

template <class T>
class FitJob {
public:
    FitJob(Trainer<T>& trainer,
           const Samples<T>& train,
           const Samples<T>* validation,
           const FitConfig& config,
           const Hooks& hooks,
           const Checkpointing<T>& checkpointing,
           int n_threads);

    // Whether an epoch is to be run at all: a resumed fit may have come to its end.
    bool begin();
    // For run_job.
    Index tiles() const;
    void run(Index tile, int rank);
    bool interrupted();
    bool advance();
    // Gives the network the weights that the fit promises.
    History finish(int n_threads);
    // The same for a fit that ends before its time: those of the last finished step.
    void leave();

private:
    // What the tiles do: the step's own stages, the average takes the weights in, the
    // averages are packed for validation, validation.
    enum class Stage { kStep, kAverage, kPack, kValidate };

    void resume(const FitState<T>& state);
    void begin_epoch();
    void begin_batch();
    void finish_batch();
    bool next_batch();
    bool finish_steps();
    bool end_epoch();
    FitState<T> state(bool stop) const;
    bool ends_epoch() const noexcept { return batch_.end == train_.size(); }
    double learning_rate() const;
    void show_average();
    void hide_average();
    void take_average(int n_threads);
    double mean_loss() const noexcept {  // of the epoch's batches
        return weight_sum_ > 0 ? loss_sum_ / weight_sum_ : 0.0;
    }
    Logs make_logs();
    void add_metrics(Logs& logs,
                     const std::string& prefix,
                     const std::vector<double>& values) const;
    std::vector<double> training_metrics();
    bool judge(const Logs& logs);
    bool diverged(const std::string& what);
    std::string trouble_of_scores(const Logs& logs) const;
    void require_monitor(const std::string& owner, const std::string& name) const;
    bool interrupted_between_steps();

    Trainer<T>& trainer_;
    Network<T>& network_;
    const Samples<T>& train_;
    const FitConfig& config_;
    const Hooks& hooks_;
    const Checkpointing<T>& checkpointing_;
    std::vector<Metric> metrics_;
    const std::unique_ptr<Step<T>> owned_step_;
    Step<T>& step_;
    DivergenceWatch<T> watch_;
    std::optional<Average<T>> average_;
    std::optional<PackedWeights<T>> average_weights_;  // for validation
    std::optional<Evaluation<T>> validation_;
    std::optional<EarlyStoppingTracker> stopping_;
    History history_;

    Buffer<Index> order_;  // the samples in this epoch's order
    Matrix<T> outputs_;    // (n, out) of this epoch's batches, when metrics need them
    Snapshot<T> last_finite_;  // at the end of the last epoch
    Snapshot<T> best_;
    Stage stage_ = Stage::kStep;
    bool average_shown_ = false;  // the network holds it, average_ the weights
    bool converged_ = false;
    bool interrupted_ = false;

    Index epoch_ = 0;         // of this fit
    std::int64_t steps_ = 0;  // of this fit
    Range batch_;             // of order_
    StepSettings settings_;
    double loss_sum_ = 0;  // of this epoch
    double weight_sum_ = 0;
    double penalty_sum_ = 0;  // weighted by rows
    std::chrono::steady_clock::time_point epoch_start_;
};

}  // namespace fastnn
