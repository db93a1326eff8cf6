#include "fastnn/train/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "fastnn/core/threads.hpp"
#include "fastnn/train/fit_job.hpp"

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
      optimizer_(config.optimizer, network.parameters().size()),
      learning_rate_(config.schedule, optimizer_.lr()) {
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
    return learning_rate_.at(epoch_, optimizer_.step());
}

template <class T>
StepReport Trainer<T>::step(const Samples<T>& batch, const Hooks& hooks) {
    struct Job {
        TrainingStep<T>& step;
        const Hooks& hooks;
        bool stopped = false;
        Index tiles() const { return step.tiles(); }
        void run(Index tile, int rank) { step.run(tile, rank); }
        bool interrupted() {
            stopped = stopped ||
                      (step.is_untouched() && hooks.interrupted && hooks.interrupted());
            return stopped;
        }
        bool advance() {
            return !stopped && step.advance() == TrainingStep<T>::Outcome::kMore;
        }
    };
    const int threads = threads_for(batch.size());
    if (!single_ || single_->max_batch() != batch.size() ||
        single_->ranks() < threads) {
        single_ = std::make_unique<TrainingStep<T>>(network_, config_, optimizer_,
                                                    batch.size(), threads);
    }
    auto& progress = network_.progress();
    const double lr = learning_rate();
    const std::int64_t step = optimizer_.step();
    before_.take(network_);
    single_->pack_first();
    single_->begin(batch, nullptr, batch.size(),
                   static_cast<std::uint32_t>(progress.steps), lr);
    Job job{*single_, hooks};
    run_job(threads, job);
    if (job.stopped) return {};

    const BatchPass<T>& pass = single_->pass();
    const double weight = pass.total_weight();
    StepReport report{weight > 0 ? pass.weighted_loss() / weight : 0.0, std::nullopt};
    if (!std::isfinite(report.loss)) {
        report.divergence =
            Divergence{epoch_, step, lr, became("the loss", report.loss)};
    } else if (!is_finite(network_)) {
        report.divergence = Divergence{epoch_, step, lr, kWeightsBroke};
        before_.put_back(network_);
        optimizer_.reset();  // its state is as broken as the weights were
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
    const int threads = threads_for(std::min(config.batch_size, train.size()));
    FitJob<T> job(*this, train, validation, config, hooks, checkpointing, threads);
    if (job.begin()) run_job(threads, job);
    return job.finish(threads);
}

template <class T>
TrainerState<T> Trainer<T>::state() const {
    TrainerState<T> state{epoch_, optimizer_.step(), {}, learning_rate_.plateau()};
    Index k = 0;
    for (const optim::Slot& slot : optimizer_.slots()) {
        Buffer<T> copy(optimizer_.n_parameters());
        const VectorView<const T> values = optimizer_.slot(k++);
        std::copy_n(values.data, values.size, copy.data());
        state.slots.emplace_back(slot.name, std::move(copy));
    }
    return state;
}

template <class T>
void Trainer<T>::restore(const TrainerState<T>& state) {
    const optim::Slots& slots = optimizer_.slots();
    require(static_cast<Index>(state.slots.size()) == slots.size(),
            "the number of slots", state.slots.size(), "the optimizer's");
    Index k = 0;
    for (const optim::Slot& slot : slots) {
        const auto& [name, values] = state.slots[static_cast<std::size_t>(k++)];
        require(name == slot.name && values.size() == optimizer_.n_parameters(), "slot",
                name, std::string(slot.name) + ", as long as the parameters");
    }
    for (k = 0; k < slots.size(); ++k) {
        const Buffer<T>& values = state.slots[static_cast<std::size_t>(k)].second;
        std::copy_n(values.data(), values.size(), optimizer_.slot(k).data);
    }
    optimizer_.restore_step(state.step);
    learning_rate_.restore(state.plateau);
    epoch_ = state.epoch;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace fastnn
