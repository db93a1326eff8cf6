// When to stop, and which epoch was the best (Prechelt 1998, "Early stopping - but
// when?").
#pragma once

#include <cmath>
#include <string>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/core/types.hpp"
#include "fastnn/optim/schedule.hpp"

namespace fastnn {

struct EarlyStopping {
    static constexpr const char* kKind = "early_stopping";
    std::string monitor = "val_loss";
    double min_delta = 0.0;     // an improvement must exceed this
    Index patience = 10;        // epochs without improvement before stopping
    std::string mode = "auto";  // "min", "max", or by the monitor's name
    bool restore_best_weights = true;
    Index start_from_epoch = 0;  // epochs before it are not judged
    static constexpr auto fields() {
        return std::tuple{
            field("monitor", &EarlyStopping::monitor),
            field("min_delta", &EarlyStopping::min_delta),
            field("patience", &EarlyStopping::patience),
            field("mode", &EarlyStopping::mode),
            field("restore_best_weights", &EarlyStopping::restore_best_weights),
            field("start_from_epoch", &EarlyStopping::start_from_epoch)};
    }
    void validate() const {
        require_not_negative("min_delta", min_delta);
        require(patience >= 0, "patience", patience, "an integer >= 0");
        require(mode == "auto" || mode == "min" || mode == "max", "mode",
                "'" + mode + "'", "'auto', 'min' or 'max'");
        require(start_from_epoch >= 0, "start_from_epoch", start_from_epoch,
                "an integer >= 0");
    }
};

// Follows one score through the epochs.
class EarlyStoppingTracker {
public:
    explicit EarlyStoppingTracker(const EarlyStopping& config)
        : config_(config),
          sign_(config.mode == "max" || (config.mode == "auto" &&
                                         optim::greater_is_better(config.monitor))
                    ? -1.0
                    : 1.0) {}

    // What it remembers.
    struct State {
        double best = 0;  // with the sign that makes lower better
        Index best_epoch = -1;
        Index waited = 0;
    };
    const State& state() const noexcept { return state_; }
    void restore(const State& state) noexcept { state_ = state; }

    const EarlyStopping& config() const noexcept { return config_; }
    Index best_epoch() const noexcept { return state_.best_epoch; }  // -1: none yet
    bool should_stop() const noexcept {
        return state_.waited > 0 && state_.waited >= config_.patience;
    }

    // Takes the score of an epoch; true if it is the best so far. NaN never is.
    bool judge(Index epoch, double score) noexcept {
        if (epoch < config_.start_from_epoch) return false;
        const double value = sign_ * score;
        const bool first = state_.best_epoch < 0 && !std::isnan(value);
        if (first || value < state_.best - config_.min_delta) {
            state_ = {value, epoch, 0};
            return true;
        }
        ++state_.waited;
        return false;
    }

private:
    EarlyStopping config_;
    double sign_;
    State state_;
};

}  // namespace fastnn
