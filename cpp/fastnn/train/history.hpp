// What happened during a fit: one flat record that Python takes over.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastnn/core/types.hpp"
#include "fastnn/train/divergence.hpp"

namespace fastnn {

// The values of one epoch by name, in the order in which they are shown.
using Logs = std::vector<std::pair<std::string, double>>;

enum class StopReason {
    kEpochs,
    kEarlyStopping,
    kConverged,
    kCallback,
    kDiverged,
    kInterrupted
};

inline const char* to_string(StopReason reason) noexcept {
    switch (reason) {
        case StopReason::kEpochs:
            return "epochs";
        case StopReason::kEarlyStopping:
            return "early_stopping";
        case StopReason::kConverged:
            return "converged";
        case StopReason::kCallback:
            return "callback";
        case StopReason::kDiverged:
            return "diverged";
        case StopReason::kInterrupted:
            return "interrupted";
    }
    return "";
}
inline StopReason stop_reason_from(const std::string& name) {
    for (int i = 0; i <= static_cast<int>(StopReason::kInterrupted); ++i) {
        const auto reason = static_cast<StopReason>(i);
        if (name == to_string(reason)) return reason;
    }
    throw std::invalid_argument("unknown reason to stop: '" + name + "'");
}

// What one step by itself came to.
struct StepReport {
    double loss = 0;  // mean over the batch, before the step
    std::optional<Divergence> divergence;
};

struct History {
    std::vector<Logs> epochs;
    Index best_epoch = -1;  // by the monitored score, else the last
    StopReason stop_reason = StopReason::kEpochs;
    std::optional<Divergence> divergence;
};

}  // namespace fastnn
