#include "fastnn/train/fit_job.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/train/batch_statistics.hpp"

namespace fastnn {
namespace {

const double* find(const Logs& logs, const std::string& name) {
    for (const auto& [key, value] : logs) {
        if (key == name) return &value;
    }
    return nullptr;
}

}  // namespace

template <class T>
FitJob<T>::FitJob(Trainer<T>& trainer,
                  const Samples<T>& train,
                  const Samples<T>* validation,
                  const FitConfig& config,
                  const Hooks& hooks,
                  const Checkpointing<T>& checkpointing,
                  int n_threads)
    : trainer_(trainer),
      network_(trainer.network_),
      train_(train),
      config_(config),
      hooks_(hooks),
      checkpointing_(checkpointing),
      metrics_(metrics_for(config.metrics, trainer.config_.loss)),
      owned_step_(
          trainer.make_step(trainer.rows_per_step(config.batch_size, train.size()),
                            n_threads,
                            config.augment)),
      step_(*owned_step_),
      watch_(network_,
             trainer.config_.loss,
             train,
             [this] { return interrupted_between_steps(); }),
      order_(train.size()) {
    if (config.averaging) {
        average_.emplace(*config.averaging, network_, lr_of(trainer.config_.optimizer));
    }
    if (validation) {
        if (average_ && average_->is_ema()) average_weights_.emplace(network_);
        validation_.emplace(network_,
                            average_weights_ ? *average_weights_ : step_.weights(),
                            trainer.config_.loss, metrics_, *validation, n_threads);
    }
    if (config.early_stopping) {
        require_monitor("early_stopping", config.early_stopping->monitor);
        stopping_.emplace(*config.early_stopping);
    }
    if (const std::string* monitor = trainer.learning_rate_.monitor()) {
        require_monitor("schedule", *monitor);
    }
    if (!metrics_.empty()) {
        outputs_ = Matrix<T>(train.size(), network_.out_features());
    }
    std::iota(order_.data(), order_.data() + order_.size(), Index{0});
    if (checkpointing.from) resume(*checkpointing.from);
    last_finite_.take(network_);
}

// As after the epoch that ended with this state; the averages are shown.
template <class T>
void FitJob<T>::resume(const FitState<T>& state) {
    require(state.network.parameters.size() == network_.parameters().size() &&
                state.network.statistics.size() == network_.statistics().size() &&
                state.network.counters.size() == network_.counters().size(),
            "the number of parameters", state.network.parameters.size(),
            std::to_string(network_.parameters().size()) + ", the network's");
    trainer_.restore(state.trainer);
    state.network.put_back(network_);
    network_.progress() = state.progress;
    epoch_ = state.epoch;
    steps_ = state.steps;
    watch_.restore(state.scale);
    history_.epochs = state.epochs;
    if (state.stop) history_.stop_reason = *state.stop;
    if (stopping_) stopping_->restore(state.stopping);
    best_ = state.best;
    if (average_) {
        average_->restore(state.average);
        if (average_->is_ema()) show_average();
    }
}

template <class T>
bool FitJob<T>::begin() {
    if (history_.stop_reason != StopReason::kEpochs || epoch_ >= config_.epochs) {
        return false;
    }
    trainer_.other_schedules_.check(trainer_.epoch_, config_.epochs - epoch_,
                                    steps_of<T>(trainer_.optimizer_),
                                    ceil_div(train_.size(), step_.max_batch()));
    hide_average();
    if (steps_ == 0) watch_.begin();
    begin_epoch();
    return true;
}

template <class T>
Index FitJob<T>::tiles() const {
    switch (stage_) {
        case Stage::kStep:
            return step_.tiles();
        case Stage::kAverage:
            return average_->tiles();
        case Stage::kPack:
            return static_cast<Index>(network_.parameter_tiles().size());
        case Stage::kValidate:
            return validation_->tiles();
    }
    return 0;
}

template <class T>
void FitJob<T>::run(Index tile, int rank) {
    switch (stage_) {
        case Stage::kStep:
            return step_.run(tile, rank);
        case Stage::kAverage:
            return average_->run(network_, tile);
        case Stage::kPack:
            return average_weights_->pack(
                network_.parameter_tiles()[static_cast<std::size_t>(tile)]);
        case Stage::kValidate:
            return validation_->run(tile, rank);
    }
}

template <class T>
bool FitJob<T>::interrupted() {
    // An average that has half of the weights in it would be neither's.
    const bool may = stage_ == Stage::kStep ? step_.may_stop()  //
                                            : stage_ != Stage::kAverage;
    if (may) interrupted_between_steps();
    return interrupted_;
}

// For long work outside of the tiles, to be given up then.
template <class T>
bool FitJob<T>::interrupted_between_steps() {
    interrupted_ = interrupted_ || (hooks_.interrupted && hooks_.interrupted());
    return interrupted_;
}

template <class T>
bool FitJob<T>::advance() {
    if (interrupted_) {
        history_.stop_reason = StopReason::kInterrupted;
        leave();
        return false;
    }
    switch (stage_) {
        case Stage::kStep:
            break;
        case Stage::kAverage:
            average_->finish();
            return next_batch();
        case Stage::kPack:
            stage_ = Stage::kValidate;
            return true;
        case Stage::kValidate:
            return end_epoch();
    }
    switch (step_.advance()) {
        case Step<T>::Outcome::kMore:
            return true;
        case Step<T>::Outcome::kNotFinite:
            return diverged(loss_broke(step_.last_loss()));
        case Step<T>::Outcome::kConverged:
            converged_ = true;
            break;
        case Step<T>::Outcome::kDone:
            break;
    }
    finish_batch();
    if (!average_ || !average_->takes(epoch_, ends_epoch())) return next_batch();
    stage_ = Stage::kAverage;
    return true;
}

template <class T>
void FitJob<T>::begin_epoch() {
    epoch_start_ = std::chrono::steady_clock::now();
    loss_sum_ = weight_sum_ = penalty_sum_ = 0;
    batch_ = {0, 0};
    if (config_.shuffle && !trainer_.takes_all_rows()) {
        permutation(order_.view(), network_.seed(), Purpose::kShuffle,
                    static_cast<std::uint32_t>(network_.progress().epochs),
                    [this] { return interrupted_between_steps(); });
    }
    step_.pack_first();  // a callback may have changed the weights
    begin_batch();
}

template <class T>
void FitJob<T>::begin_batch() {
    stage_ = Stage::kStep;
    batch_ = {batch_.end, std::min(batch_.end + step_.max_batch(), train_.size())};
    settings_ = trainer_.settings(learning_rate());
    step_.begin(train_, order_.data() + batch_.begin, batch_.size(),
                static_cast<std::uint32_t>(network_.progress().steps), settings_,
                outputs_.empty() ? MatrixView<T>() : outputs_.view(batch_));
}

template <class T>
double FitJob<T>::learning_rate() const {
    if (average_) {
        const Index size = step_.max_batch();
        const auto lr =
            average_->lr(epoch_, batch_.begin / size, ceil_div(train_.size(), size));
        if (lr) return *lr;
    }
    return trainer_.learning_rate();
}

template <class T>
void FitJob<T>::finish_batch() {
    loss_sum_ += step_.last_loss();
    weight_sum_ += step_.total_weight();
    penalty_sum_ += step_.penalty() * static_cast<double>(batch_.size());
    if (steps_ == 0) {
        watch_.saw_first_batch(step_.first_loss() /
                               std::max(step_.total_weight(), 1e-300));
    }
    ++steps_;
    ++network_.progress().steps;
}

template <class T>
bool FitJob<T>::next_batch() {
    if (ends_epoch()) return finish_steps();
    begin_batch();
    return true;
}

// The last step of the epoch is done.
template <class T>
bool FitJob<T>::finish_steps() {
    const std::string what = watch_.trouble(mean_loss(), step_.weights());
    if (interrupted_) return true;  // advance() says what that means
    if (!what.empty()) return diverged(what);
    if (average_ && average_->is_ema()) {
        show_average();
        if (!is_finite(network_)) return diverged(what_broke(network_));
    }
    if (!validation_) return end_epoch();
    stage_ = average_weights_ ? Stage::kPack : Stage::kValidate;
    return true;
}

template <class T>
bool FitJob<T>::end_epoch() {
    const Logs logs = make_logs();
    if (interrupted_) return true;  // advance() says what that means
    const std::string what = trouble_of_scores(logs);
    if (!what.empty()) return diverged(what);
    ++network_.progress().epochs;
    ++trainer_.epoch_;
    history_.epochs.push_back(logs);

    bool stop = judge(logs);
    if (stop) {
        history_.stop_reason = StopReason::kEarlyStopping;
    } else if (converged_) {
        history_.stop_reason = StopReason::kConverged;
        stop = true;
    }
    if (hooks_.on_epoch && hooks_.on_epoch(epoch_, logs) && !stop) {
        history_.stop_reason = StopReason::kCallback;
        stop = true;
    }
    // What a callback wrote is what a divergence takes back to, unless it is broken.
    if (!hooks_.on_epoch || is_finite(network_)) {
        last_finite_.take(network_);
    }
    ++epoch_;
    const bool over = stop || epoch_ == config_.epochs;
    // A file that a broken network was written to could not be read.
    if (checkpointing_.save && (over || epoch_ % checkpointing_.every == 0) &&
        is_finite(network_)) {
        checkpointing_.save(state(stop));
    }
    if (over) return false;
    hide_average();
    begin_epoch();
    return true;
}

template <class T>
FitState<T> FitJob<T>::state(bool stop) const {
    FitState<T> state;
    state.network.take(network_);
    state.progress = network_.progress();
    state.trainer = trainer_.state();
    state.epoch = epoch_;
    state.steps = steps_;
    if (stop) state.stop = history_.stop_reason;
    state.scale = watch_.scale();
    if (stopping_) state.stopping = stopping_->state();
    state.best = best_;
    if (average_) state.average = average_->state();
    if (average_shown_) {
        std::swap(state.network.parameters, state.average.parameters);
        std::swap(state.network.statistics, state.average.statistics);
    }
    state.epochs = history_.epochs;
    return state;
}

template <class T>
void FitJob<T>::show_average() {
    if (average_shown_ || average_->empty()) return;
    average_->swap(network_);
    average_shown_ = true;
}

template <class T>
void FitJob<T>::hide_average() {
    if (!average_shown_) return;
    average_->swap(network_);
    average_shown_ = false;
}

template <class T>
Logs FitJob<T>::make_logs() {
    Logs logs{{"loss", mean_loss()}};
    add_metrics(logs, "", training_metrics());
    if (interrupted_) return logs;  // a loss in Python must not be asked any more
    if (validation_) {
        const auto stop = [this] { return interrupted_between_steps(); };
        logs.emplace_back("val_loss", validation_->loss());
        add_metrics(logs, "val_", validation_->metrics(stop));
    }
    if (trainer_.config_.penalty_per_row) {
        logs.emplace_back("penalty", penalty_sum_ / static_cast<double>(train_.size()));
    }
    const auto elapsed = std::chrono::steady_clock::now() - epoch_start_;
    logs.emplace_back("lr", settings_.lr());
    trainer_.other_schedules_.log(settings_, logs);
    logs.emplace_back("seconds", std::chrono::duration<double>(elapsed).count());
    return logs;
}

template <class T>
void FitJob<T>::add_metrics(Logs& logs,
                            const std::string& prefix,
                            const std::vector<double>& values) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
        logs.emplace_back(prefix + config_.metrics[i], values[i]);
    }
}

template <class T>
std::vector<double> FitJob<T>::training_metrics() {
    const auto stop = [this] { return interrupted_between_steps(); };
    std::vector<double> values;
    for (const Metric metric : metrics_) {
        values.push_back(evaluate_metric<T>(metric, trainer_.config_.loss,
                                            outputs_.view({0, train_.size()}), train_,
                                            order_.data(), stop));
    }
    return values;
}

// Early stopping and the plateau schedule look at the epoch. True: stop now.
template <class T>
bool FitJob<T>::judge(const Logs& logs) {
    if (const std::string* monitor = trainer_.learning_rate_.monitor()) {
        trainer_.learning_rate_.end_epoch(*find(logs, *monitor));
    }
    if (!stopping_) return false;
    const EarlyStopping& rule = stopping_->config();
    if (stopping_->judge(epoch_, *find(logs, rule.monitor)) &&
        rule.restore_best_weights) {
        best_.take(network_);
    }
    return stopping_->should_stop();
}

// What is wrong with what the network is judged by, or nothing.
template <class T>
std::string FitJob<T>::trouble_of_scores(const Logs& logs) const {
    const double* val_loss = find(logs, "val_loss");
    if (val_loss && !std::isfinite(*val_loss)) return became("val_loss", *val_loss);
    if (stopping_) {
        const std::string& name = stopping_->config().monitor;
        const double score = *find(logs, name);
        if (!std::isfinite(score)) return became(name, score);
    }
    return "";
}

template <class T>
bool FitJob<T>::diverged(const std::string& what) {
    last_finite_.put_back(network_);
    trainer_.forget_optimizer_state();  // its state is as broken as the weights were
    history_.stop_reason = StopReason::kDiverged;
    history_.divergence = Divergence{epoch_, steps_, settings_.lr(), what};
    return false;
}

template <class T>
void FitJob<T>::require_monitor(const std::string& owner,
                                const std::string& name) const {
    std::vector<std::string> names{"loss"};
    names.insert(names.end(), config_.metrics.begin(), config_.metrics.end());
    if (validation_) {
        for (std::size_t i = 0, n = names.size(); i < n; ++i) {
            names.push_back("val_" + names[i]);
        }
    }
    std::string known;
    for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
    require(std::find(names.begin(), names.end(), name) != names.end(),
            owner + ": monitor", "'" + name + "'",
            "one of this run's scores: " + known +
                (validation_ ? "" : " (val_ scores need validation data)"));
}

template <class T>
void FitJob<T>::leave() {
    step_.drop();
    if (history_.stop_reason == StopReason::kDiverged) return;
    if (average_ && average_->is_ema()) show_average();
    if (!is_finite(network_)) last_finite_.put_back(network_);
}

template <class T>
History FitJob<T>::finish(int n_threads) {
    const bool finished = history_.stop_reason != StopReason::kDiverged &&
                          history_.stop_reason != StopReason::kInterrupted;
    history_.best_epoch = static_cast<Index>(history_.epochs.size()) - 1;
    if (stopping_ && stopping_->best_epoch() >= 0) {
        history_.best_epoch = stopping_->best_epoch();
    }
    if (finished && !best_.empty()) {
        best_.put_back(network_);
    } else if (finished && average_ && !average_->empty()) {
        take_average(n_threads);
    }
    return std::move(history_);
}

// The average becomes the network, with statistics of its own.
template <class T>
void FitJob<T>::take_average(int n_threads) {
    show_average();
    if (average_->is_ema()) return;
    bool renewed = false;
    try {
        renewed = renew_statistics<T>(network_, train_, trainer_.config_.loss,
                                      step_.max_batch(), n_threads, hooks_.interrupted);
    } catch (...) {
        last_finite_.put_back(network_);
        throw;
    }
    if (!renewed) {
        history_.stop_reason = StopReason::kInterrupted;
        last_finite_.put_back(network_);
    } else if (!is_finite(network_)) {
        diverged("the average of the weights became infinite or nan");
    }
}

template class FitJob<float>;
template class FitJob<double>;

}  // namespace fastnn
