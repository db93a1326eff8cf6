// Averages of the weights along a run: EMA, exponential or with equal weights (Polyak &
// Juditsky 1992), after every step, SWA (Izmailov et al. 2018) after every epoch of the
// last part.
#pragma once

#include <optional>
#include <variant>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/nn/network.hpp"
#include "fastnn/optim/schedule.hpp"

namespace fastnn {

// average <- decay average + (1 - decay) weights; without a decay the mean of all
struct Ema {
    static constexpr const char* kKind = "ema";
    std::optional<double> decay = 0.999;
    static constexpr auto fields() { return std::tuple{field("decay", &Ema::decay)}; }
    void validate() const {
        require(!decay || (*decay >= 0 && *decay < 1), "decay", decay.value_or(0),
                "a number >= 0 and < 1, or None");
    }
};

// The mean of the weights at the ends of the epochs from `start` on.
struct Swa {
    static constexpr const char* kKind = "swa";
    Index start = 0;         // epoch of the fit
    optim::Nested schedule;  // of the learning rate, counted from start
    static constexpr auto fields() {
        return std::tuple{field("start", &Swa::start),
                          field("schedule", &Swa::schedule)};
    }
    void validate() const { require(start >= 0, "start", start, "an integer >= 0"); }
};

using Averaging = std::variant<Ema, Swa>;

// An average and how many times the weights went into it.
template <class T>
struct AverageState {
    Index count = 0;
    Buffer<T> parameters;
    Buffer<T> statistics;  // of SWA: empty, as they are computed anew
};

// A running average of a network's numbers. Taking the weights in is a stage of tiles
// over the flat buffers; elements do not meet, so any number of threads gives the same
// bits.
template <class T>
class Average {
public:
    Average(const Averaging& rule, const Network<T>& network, double base_lr);

    // Whether validation, callbacks and early stopping see the average.
    bool is_ema() const noexcept { return std::holds_alternative<Ema>(rule_); }
    bool empty() const noexcept { return state_.count == 0; }
    // Whether the weights go in after this step.
    bool takes(Index epoch, bool ends_epoch) const noexcept;
    // The rate of an SWA epoch that has a schedule of its own.
    std::optional<double> lr(Index epoch, Index step_of_epoch, Index steps) const;

    // The stage, and what ends it.
    Index tiles() const noexcept;
    void run(const Network<T>& network, Index tile) noexcept;
    void finish() noexcept { ++state_.count; }

    // Exchanges the average with the network's numbers, in place: others hold views of
    // the network's memory.
    void swap(Network<T>& network) noexcept;

    const AverageState<T>& state() const noexcept { return state_; }
    void restore(const AverageState<T>& state);

private:
    Averaging rule_;
    std::optional<optim::LearningRate> rate_;
    AverageState<T> state_;
};

}  // namespace fastnn
