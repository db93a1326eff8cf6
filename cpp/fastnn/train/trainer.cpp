#include "fastnn/train/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "fastnn/core/threads.hpp"
#include "fastnn/kernels/reduce.hpp"
#include "fastnn/train/fit_job.hpp"
#include "fastnn/train/full_batch_step.hpp"
#include "fastnn/train/training_step.hpp"

namespace fastnn {
namespace {

// Below this many floating-point operations a step is over before a second thread has
// come to its help (about 20 microseconds).
constexpr double kWorthAThread = 2e6;

// What the update of a parameter takes, in the time of so many operations of a product.
constexpr double kUpdate = 64;

}  // namespace

template <class T>
Trainer<T>::Trainer(Network<T>& network, const TrainerConfig& config)
    : network_(network),
      config_(config),
      optimizer_(make_optimizer<T>(config.optimizer, network.parameters().size())),
      learning_rate_(config.schedule, lr_of(config.optimizer)),
      other_schedules_(config.other_schedules, config.optimizer, network),
      frozen_(network.frozen()) {
    config_.validate();
    check_outputs(config_.loss, network.out_features());
}

template <class T>
int Trainer<T>::threads_for(Index batch) const {
    if (config_.n_threads > 0) return config_.n_threads;
    // Forward, backward and weight gradient are two operations a weight and row each.
    const double work = static_cast<double>(network_.parameters().size()) *
                        (6.0 * static_cast<double>(batch) + kUpdate);
    const auto tiles = static_cast<Index>(network_.parameter_tiles().size());
    const auto most = static_cast<double>(std::max(row_tiles(batch), tiles));
    const int useful = static_cast<int>(std::min(most, 1 + work / kWorthAThread));
    return std::min(default_threads(), useful);
}

template <class T>
double Trainer<T>::learning_rate() const {
    return learning_rate_.at(epoch_, steps_of<T>(optimizer_));
}

template <class T>
StepSettings Trainer<T>::settings(double lr) const {
    return other_schedules_.at(epoch_, steps_of<T>(optimizer_), lr);
}

// What L-BFGS learned of the curvature was of other parameters.
template <class T>
void Trainer<T>::look_at_network() {
    if (frozen_ == network_.frozen()) return;
    frozen_ = network_.frozen();
    single_.reset();
    if (auto* lbfgs = std::get_if<optim::LbfgsMinimizer<T>>(&optimizer_)) {
        lbfgs->history().clear();
    }
}

template <class T>
Index Trainer<T>::rows_per_step(Index batch_size, Index rows) const {
    return takes_all_rows() ? rows : std::min(batch_size, rows);
}

template <class T>
std::unique_ptr<Step<T>> Trainer<T>::make_step(Index rows,
                                               int n_threads,
                                               const std::vector<Augment>& augment) {
    if (auto* lbfgs = std::get_if<optim::LbfgsMinimizer<T>>(&optimizer_)) {
        require(augment.empty(), "the number of entries in augment", augment.size(),
                "0 with lbfgs: its line search needs one function");
        return std::make_unique<FullBatchStep<T>>(network_, config_, *lbfgs, rows,
                                                  n_threads);
    }
    return std::make_unique<TrainingStep<T>>(network_, config_,
                                             std::get<optim::Optimizer<T>>(optimizer_),
                                             rows, n_threads, augment);
}

template <class T>
void Trainer<T>::forget_optimizer_state() {
    std::visit([](auto& optimizer) { optimizer.reset(); }, optimizer_);
}

template <class T>
void Trainer<T>::set_learning_rate(double lr) {
    require_positive("lr", lr);
    const double before = learning_rate();
    learning_rate_.set_base(lr);
    auto* optimizer = std::get_if<optim::Optimizer<T>>(&optimizer_);
    if (!optimizer) return;
    const auto* sgd = std::get_if<optim::Sgd>(&optimizer->rule());
    if (sgd && sgd->momentum > 0) scale(optimizer->slot(0), before / learning_rate());
}

template <class T>
Index Trainer<T>::evaluations() const noexcept {
    const auto* lbfgs = std::get_if<optim::LbfgsMinimizer<T>>(&optimizer_);
    return lbfgs ? lbfgs->evaluations() : 1;
}

template <class T>
StepReport Trainer<T>::step(const Samples<T>& batch,
                            const std::vector<Augment>& augment,
                            const Hooks& hooks) {
    using Outcome = typename Step<T>::Outcome;
    struct Job {
        Step<T>& step;
        const Hooks& hooks;
        bool stopped = false;
        Outcome outcome = Outcome::kMore;
        ~Job() { step.drop(); }  // nothing, unless it did not come to its end
        Index tiles() const { return step.tiles(); }
        void run(Index tile, int rank) { step.run(tile, rank); }
        bool interrupted() {
            stopped = stopped ||
                      (step.may_stop() && hooks.interrupted && hooks.interrupted());
            return stopped;
        }
        bool advance() {
            if (stopped) return false;
            outcome = step.advance();
            return outcome == Outcome::kMore;
        }
    };
    look_at_network();
    const int threads = threads_for(batch.size());
    if (!single_ || single_->max_batch() != batch.size() ||
        single_->ranks() < threads || single_augment_ != augment) {
        single_ = make_step(batch.size(), threads, augment);
        single_augment_ = augment;
    }
    auto& progress = network_.progress();
    const double lr = learning_rate();
    const StepSettings now = settings(lr);
    const std::int64_t step = steps_of<T>(optimizer_);
    before_.take(network_);
    single_->pack_first();
    single_->forget_rows();
    single_->begin(batch, nullptr, batch.size(),
                   static_cast<std::uint32_t>(progress.steps), now, {});
    Job job{*single_, hooks};
    run_job(threads, job);
    if (job.stopped) return {};

    const double weight = single_->total_weight();
    StepReport report{weight > 0 ? single_->first_loss() / weight : 0.0, std::nullopt};
    if (job.outcome == Outcome::kNotFinite) {
        report.divergence =
            Divergence{epoch_, step, lr, loss_broke(single_->last_loss())};
        before_.put_back(network_);
    } else if (!is_finite(network_)) {
        report.divergence = Divergence{epoch_, step, lr, what_broke(network_)};
        before_.put_back(network_);
        forget_optimizer_state();  // its state is as broken as the weights were
    } else {
        ++progress.steps;
    }
    return report;
}

template <class T>
History Trainer<T>::fit(const Samples<T>& train,
                        const Samples<T>* validation,
                        const FitConfig& config,
                        const Hooks& hooks,
                        const Checkpointing<T>& checkpointing) {
    config.validate();
    look_at_network();
    const int threads = threads_for(rows_per_step(config.batch_size, train.size()));
    FitJob<T> job(*this, train, validation, config, hooks, checkpointing, threads);
    try {
        if (job.begin()) run_job(threads, job);
        return job.finish(threads);
    } catch (...) {
        job.leave();
        throw;
    }
}

template <class T>
TrainerState<T> Trainer<T>::state() const {
    return {epoch_,
            steps_of<T>(optimizer_),
            slots_of<T>(optimizer_),
            learning_rate_.base(),
            learning_rate_.plateau(),
            frozen_};
}

template <class T>
void Trainer<T>::restore(const TrainerState<T>& state) {
    fastnn::restore<T>(optimizer_, state.step, state.slots);
    learning_rate_.set_base(state.lr);
    learning_rate_.restore(state.plateau);
    epoch_ = state.epoch;
    if (!state.frozen.empty()) frozen_ = state.frozen;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace fastnn
