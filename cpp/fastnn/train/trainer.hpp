// Training: epochs of shuffled batches, validation, early stopping.
#pragma once

#include <functional>
#include <memory>

#include "fastnn/nn/network.hpp"
#include "fastnn/train/any_optimizer.hpp"
#include "fastnn/train/config.hpp"
#include "fastnn/train/fit_state.hpp"
#include "fastnn/train/history.hpp"
#include "fastnn/train/other_schedules.hpp"
#include "fastnn/train/snapshot.hpp"
#include "fastnn/train/step.hpp"

namespace fastnn {

// The caller's part in a run; each may be empty. They are called on the calling thread.
struct Hooks {
    // After each epoch, with its values. True ends the fit.
    std::function<bool(Index epoch, const Logs& logs)> on_epoch;
    // Often, between tiles: true leaves the network as the last finished step left it.
    std::function<bool()> interrupted;
};

// A fit that is written down after epochs, or goes on from what was written.
template <class T>
struct Checkpointing {
    const FitState<T>* from = nullptr;
    // After on_epoch, on the calling thread: of every so many epochs, and of the last.
    Index every = 1;
    std::function<void(FitState<T>&& state)> save;
};

template <class T>
class Trainer {
public:
    // The network must outlive the trainer.
    Trainer(Network<T>& network, const TrainerConfig& config);

    // One step on one batch, of L-BFGS up to max_iter iterations. If the loss or a
    // weight is not finite, the network is as it was before, and the report says so.
    StepReport step(const Samples<T>& batch,
                    const std::vector<Augment>& augment,
                    const Hooks& hooks);

    // Goes on from the current weights and the optimizer's state. On divergence the
    // weights of the last finite epoch are back in the network. With EMA the network
    // holds the averages whenever somebody else looks at it, with SWA from the end on.
    History fit(const Samples<T>& train,
                const Samples<T>* validation,
                const FitConfig& config,
                const Hooks& hooks,
                const Checkpointing<T>& checkpointing = {});

    // What a trainer of the same network and config needs to go on as this one.
    TrainerState<T> state() const;
    void restore(const TrainerState<T>& state);

    // From the next step on, instead of the optimizer's own. What SGD's momentum still
    // carries keeps its length: the velocity lr * b stays (Sutskever et al. 2013).
    void set_learning_rate(double lr);

    // Of the loss by L-BFGS in its last step; other rules make one a step.
    Index evaluations() const noexcept;

private:
    // Threads for batches of this size: as asked for, else by the work in a step.
    int threads_for(Index batch) const;
    double learning_rate() const;
    // Of the step to come, at this rate.
    StepSettings settings(double lr) const;
    // Takes notice of what is frozen by now.
    void look_at_network();
    // Whether each step is of all rows, in the order in which they are given.
    bool takes_all_rows() const noexcept {
        return std::holds_alternative<optim::LbfgsMinimizer<T>>(optimizer_);
    }
    Index rows_per_step(Index batch_size, Index rows) const;
    std::unique_ptr<Step<T>> make_step(Index rows,
                                       int n_threads,
                                       const std::vector<Augment>& augment);
    void forget_optimizer_state();

    Network<T>& network_;
    TrainerConfig config_;
    AnyOptimizer<T> optimizer_;
    optim::LearningRate learning_rate_;
    OtherSchedules other_schedules_;
    std::vector<bool> frozen_;             // layers, in the last step
    std::int64_t epoch_ = 0;               // of this trainer, over all calls of fit
    Snapshot<T> before_;                   // the network before a single step
    std::unique_ptr<Step<T>> single_;      // of step(), kept between calls
    std::vector<Augment> single_augment_;  // that it was made with

    template <class U>
    friend class FitJob;
};

}  // namespace fastnn
