// What happened during a fit: one flat record that Python takes over.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fastnn/core/types.hpp"

namespace fastnn {

// The values of one epoch by name, in the order in which they are shown.
using Logs = std::vector<std::pair<std::string, double>>;

enum class StopReason { kEpochs, kEarlyStopping, kCallback, kDiverged, kInterrupted };

inline const char* to_string(StopReason reason) noexcept {
    switch (reason) {
        case StopReason::kEpochs:
            return "epochs";
        case StopReason::kEarlyStopping:
            return "early_stopping";
        case StopReason::kCallback:
            return "callback";
        case StopReason::kDiverged:
            return "diverged";
        case StopReason::kInterrupted:
            return "interrupted";
    }
    return "";
}

// Where and how a run left the finite numbers.
struct Divergence {
    Index epoch;
    std::int64_t step;  // of this fit, from 0
    double lr;
    std::string what;  // "the loss became nan"
};

struct History {
    std::vector<Logs> epochs;
    Index best_epoch = -1;  // by the monitored score, else the last
    StopReason stop_reason = StopReason::kEpochs;
    std::optional<Divergence> divergence;
};

}  // namespace fastnn
