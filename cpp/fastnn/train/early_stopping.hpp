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

    const EarlyStopping& config() const noexcept { return config_; }
    Index best_epoch() const noexcept { return best_epoch_; }  // -1: none yet
    bool should_stop() const noexcept {
        return waited_ > 0 && waited_ >= config_.patience;
    }

    // Takes the score of an epoch; true if it is the best so far. NaN never is.
    bool judge(Index epoch, double score) noexcept {
        if (epoch < config_.start_from_epoch) return false;
        const double value = sign_ * score;
        const bool first = best_epoch_ < 0 && !std::isnan(value);
        if (first || value < best_ - config_.min_delta) {
            best_ = value;
            best_epoch_ = epoch;
            waited_ = 0;
            return true;
        }
        ++waited_;
        return false;
    }

private:
    EarlyStopping config_;
    double sign_;
    double best_ = 0;
    Index best_epoch_ = -1;
    Index waited_ = 0;
};

}  // namespace fastnn
