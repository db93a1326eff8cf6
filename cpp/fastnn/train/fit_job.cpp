#include "fastnn/train/fit_job.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "fastnn/kernels/reduce.hpp"

namespace fastnn {
namespace {

// An epoch whose mean loss exceeds this many times both what zero outputs give and what
// the run began with has diverged, though float arithmetic may still hold the numbers.
constexpr double kDivergenceFactor = 1e4;

// Weights that grew so many times since the run began are looked at: the loss of an
// epoch was taken before each step, so it cannot tell what the last ones did. Together
// with such a leap a smaller excess of the loss is proof enough.
constexpr double kLeap = 1e3;
constexpr double kDivergenceFactorAfterLeap = 1e2;

std::string too_large(const std::string& name, double value, double factor) {
    std::ostringstream text;
    text << became(name, value) << ", more than " << factor
         << " times what zero outputs give";
    return text.str();
}

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
                  int n_threads)
    : trainer_(trainer),
      network_(trainer.network_),
      train_(train),
      config_(config),
      hooks_(hooks),
      metrics_(metrics_for(config.metrics, trainer.config_.loss)),
      owned_step_(
          trainer.make_step(trainer.rows_per_step(config.batch_size, train.size()),
                            n_threads)),
      step_(*owned_step_),
      order_(train.size()) {
    if (validation) {
        validation_.emplace(network_, step_.weights(), trainer.config_.loss, metrics_,
                            *validation, n_threads);
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
    last_finite_.take(network_);
    first_square_ = squared_norm<T>(network_.parameters().view());
    begin_epoch();
}

template <class T>
Index FitJob<T>::tiles() const {
    return validating_ ? validation_->tiles() : step_.tiles();
}

template <class T>
void FitJob<T>::run(Index tile, int rank) {
    if (validating_) return validation_->run(tile, rank);
    step_.run(tile, rank);
}

template <class T>
bool FitJob<T>::interrupted() {
    if (!interrupted_ && hooks_.interrupted && (validating_ || step_.may_stop())) {
        interrupted_ = hooks_.interrupted();
    }
    return interrupted_;
}

template <class T>
bool FitJob<T>::advance() {
    if (interrupted_) {
        history_.stop_reason = StopReason::kInterrupted;
        step_.drop();
        if (!is_finite(network_)) last_finite_.put_back(network_);
        return false;
    }
    if (validating_) {
        validating_ = false;
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
    if (finish_batch()) return true;
    validating_ = validation_.has_value();
    return validating_ ? true : end_epoch();
}

template <class T>
void FitJob<T>::begin_epoch() {
    epoch_start_ = std::chrono::steady_clock::now();
    loss_sum_ = weight_sum_ = penalty_sum_ = 0;
    batch_ = {0, 0};
    if (config_.shuffle && !trainer_.takes_all_rows()) {
        permutation(order_.view(), network_.seed(), Purpose::kShuffle,
                    static_cast<std::uint32_t>(network_.progress().epochs));
    }
    step_.pack_first();  // a callback may have changed the weights
    begin_batch();
}

template <class T>
void FitJob<T>::begin_batch() {
    batch_ = {batch_.end, std::min(batch_.end + step_.max_batch(), train_.size())};
    lr_ = trainer_.learning_rate();
    step_.begin(train_, order_.data() + batch_.begin, batch_.size(),
                static_cast<std::uint32_t>(network_.progress().steps), lr_,
                outputs_.empty() ? MatrixView<T>() : outputs_.view(batch_));
}

template <class T>
bool FitJob<T>::finish_batch() {
    loss_sum_ += step_.last_loss();
    weight_sum_ += step_.total_weight();
    penalty_sum_ += step_.penalty() * static_cast<double>(batch_.size());
    if (steps_ == 0) {
        usual_loss_ =
            std::max(baseline_loss(),
                     step_.first_loss() / std::max(step_.total_weight(), 1e-300));
    }
    ++steps_;
    ++network_.progress().steps;
    if (batch_.end == train_.size()) return false;
    begin_batch();
    return true;
}

template <class T>
bool FitJob<T>::end_epoch() {
    const Logs logs = make_logs();
    if (const std::string what = trouble(logs); !what.empty()) return diverged(what);
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
    if (stop || epoch_ == config_.epochs) return false;
    begin_epoch();
    return true;
}

template <class T>
Logs FitJob<T>::make_logs() const {
    Logs logs{{"loss", weight_sum_ > 0 ? loss_sum_ / weight_sum_ : 0.0}};
    add_metrics(logs, "", training_metrics());
    if (validation_) {
        logs.emplace_back("val_loss", validation_->loss());
        add_metrics(logs, "val_", validation_->metrics());
    }
    if (trainer_.config_.penalty_per_row) {
        logs.emplace_back("penalty", penalty_sum_ / static_cast<double>(train_.size()));
    }
    const auto elapsed = std::chrono::steady_clock::now() - epoch_start_;
    logs.emplace_back("lr", lr_);
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
std::vector<double> FitJob<T>::training_metrics() const {
    std::vector<double> values;
    for (const Metric metric : metrics_) {
        values.push_back(evaluate_metric<T>(metric, trainer_.config_.loss,
                                            outputs_.view({0, train_.size()}), train_,
                                            order_.data()));
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

// What is wrong with the epoch that ended, or nothing.
template <class T>
std::string FitJob<T>::trouble(const Logs& logs) const {
    const double loss = logs.front().second;
    if (!std::isfinite(loss)) return became("the loss", loss);
    if (loss > kDivergenceFactor * usual_loss_) {
        return too_large("the mean loss of an epoch", loss, kDivergenceFactor);
    }
    // Not finite, or of float64 weights too large to be squared.
    const double square = squared_norm<T>(network_.parameters().view());
    if (!(std::isfinite(square) && all_finite<T>(network_.statistics().view())) &&
        !is_finite(network_)) {
        return kWeightsBroke;
    }
    if (square > kLeap * kLeap * std::max(first_square_, 1.0)) {
        const double after = loss_by_inference();
        if (!(after <= kDivergenceFactorAfterLeap * usual_loss_)) {
            return too_large("the loss after an epoch", after,
                             kDivergenceFactorAfterLeap);
        }
    }
    const double* val_loss = find(logs, "val_loss");
    if (val_loss && !std::isfinite(*val_loss)) return became("val_loss", *val_loss);
    if (stopping_) {
        const std::string& name = stopping_->config().monitor;
        const double score = *find(logs, name);
        if (!std::isfinite(score)) return became(name, score);
    }
    return "";
}

// The mean loss of the samples with the weights as they are.
template <class T>
double FitJob<T>::loss_by_inference() const {
    Evaluation<T> evaluation(network_, step_.weights(), trainer_.config_.loss, {},
                             train_, 1);
    for (Index i = 0; i < evaluation.tiles(); ++i) evaluation.run(i, 0);
    return evaluation.loss();
}

template <class T>
bool FitJob<T>::diverged(const std::string& what) {
    last_finite_.put_back(network_);
    trainer_.forget_optimizer_state();  // its state is as broken as the weights were
    history_.stop_reason = StopReason::kDiverged;
    history_.divergence = Divergence{epoch_, steps_, lr_, what};
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

// The mean loss of outputs that are all zero: what knowing nothing costs.
template <class T>
double FitJob<T>::baseline_loss() const {
    // What is much for a loss from outside, it alone knows.
    if (is_custom(trainer_.config_.loss)) {
        return std::numeric_limits<double>::infinity();
    }
    constexpr Index kHeight = 64;
    const Matrix<T> zero(kHeight, network_.out_features());
    const double total = train_.total_weight(nullptr, train_.size());
    double sum = 0;
    for (Index i = 0; i < train_.size(); i += kHeight) {
        const Range rows{i, std::min(i + kHeight, train_.size())};
        const Samples<T> part = train_.slice(rows);
        sum += loss_rows<T>(trainer_.config_.loss, zero.view({0, rows.size()}),
                            part.targets, part.weights, nullptr, total, {});
    }
    return sum / total;
}

template <class T>
History FitJob<T>::take_history() {
    history_.best_epoch = static_cast<Index>(history_.epochs.size()) - 1;
    if (stopping_ && stopping_->best_epoch() >= 0) {
        history_.best_epoch = stopping_->best_epoch();
        const bool finished = history_.stop_reason != StopReason::kDiverged &&
                              history_.stop_reason != StopReason::kInterrupted;
        if (finished && stopping_->config().restore_best_weights) {
            best_.put_back(network_);
        }
    }
    return std::move(history_);
}

template class FitJob<float>;
template class FitJob<double>;

}  // namespace fastnn
