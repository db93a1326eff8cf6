// What schedules make of one step.
#pragma once

#include "fastnn/optim/optimizer.hpp"
#include "fastnn/optim/schedule.hpp"

namespace fastnn {

struct StepSettings {
    optim::StepRates rates;
    const optim::Schedule* dropout = nullptr;  // null: each layer's own rate
    std::int64_t epoch = 0;                    // of the schedule
    std::int64_t step = 0;

    double lr() const noexcept { return rates.lr; }
    // Of a layer whose own rate is p.
    double dropout_rate(double p) const {
        return dropout ? optim::schedule_at(*dropout, epoch, step, p) : p;
    }
};

}  // namespace fastnn
