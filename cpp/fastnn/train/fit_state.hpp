// Where a run stands: all that its rest depends on. Each part of the engine fills and
// reads its own share; none knows of files. Shuffles and masks are keyed by counters,
// so there is no generator to keep.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fastnn/optim/schedule.hpp"
#include "fastnn/train/any_optimizer.hpp"
#include "fastnn/train/averaging.hpp"
#include "fastnn/train/divergence_watch.hpp"
#include "fastnn/train/early_stopping.hpp"
#include "fastnn/train/history.hpp"
#include "fastnn/train/snapshot.hpp"

namespace fastnn {

// Of a trainer, between its fits.
template <class T>
struct TrainerState {
    std::int64_t epoch = 0;  // over all its fits
    std::int64_t step = 0;   // of the optimizer
    NamedSlots<T> slots;     // of the optimizer
    double lr = 0;           // that schedules start from
    optim::LearningRate::Plateau plateau;
    std::vector<bool> frozen;  // layers of the last step; empty: as they are by now
};

// Of a fit, at the end of an epoch.
template <class T>
struct FitState {
    Snapshot<T> network;  // as the last step left it
    typename Network<T>::Progress progress;
    TrainerState<T> trainer;

    Index epoch = 0;                 // epochs done
    std::int64_t steps = 0;          // steps done
    std::optional<StopReason> stop;  // why no epoch follows, if something ended the fit
    DivergenceScale scale;

    EarlyStoppingTracker::State stopping;
    Snapshot<T> best;  // empty without early stopping that restores it
    AverageState<T> average;
    std::vector<Logs> epochs;
};

}  // namespace fastnn
