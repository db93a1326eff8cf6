// Schedules of more than the learning rate: of weight decay, of momentum and of the
// rates of dropout layers.
#pragma once

#include <optional>
#include <vector>

#include "fastnn/nn/network.hpp"
#include "fastnn/optim/method.hpp"
#include "fastnn/train/config.hpp"
#include "fastnn/train/history.hpp"
#include "fastnn/train/step_settings.hpp"

namespace fastnn {

// Each starts from what it changes: the optimizer's own weight_decay or momentum (the
// first of its betas, if it has no momentum), each dropout layer's own p.
class OtherSchedules {
public:
    OtherSchedules() = default;
    // Throws if the optimizer, or the network, has nothing of that name.
    template <class T>
    OtherSchedules(const OtherSchedulesConfig& config,
                   const optim::Method& method,
                   const Network<T>& network);

    // Throws if a value is none that step could be made with.
    StepSettings at(std::int64_t epoch, std::int64_t step, double lr) const;
    // Throws if one of the steps to come is such a step, of the first million.
    void check(std::int64_t epoch,
               std::int64_t epochs,
               std::int64_t step,
               std::int64_t steps_per_epoch) const;
    // Adds the values of a step, by their names: of dropout, of the first such layer.
    void log(const StepSettings& settings, Logs& logs) const;

private:
    bool count_steps() const;

    OtherSchedulesConfig config_;
    double weight_decay_ = 0;  // the optimizer's own
    double momentum_ = 0;
    std::vector<double> dropout_;  // each layer's own, without repeats
};

}  // namespace fastnn
