#include "fastnn/train/other_schedules.hpp"

#include <algorithm>
#include <string>

namespace fastnn {
namespace {

// Values that are looked at before a run begins: some 10 milliseconds.
constexpr std::int64_t kMostChecked = 1'000'000;

// The rates of layers that drop elements, in their order, each once.
template <class T>
std::vector<double> dropout_rates(const Network<T>& network) {
    std::vector<double> rates;
    const auto add = [&](double p) {
        if (std::find(rates.begin(), rates.end(), p) == rates.end()) rates.push_back(p);
    };
    for (const Layer<T>& layer : network.layers()) {
        std::visit(
            [&](const auto& l) {
                if constexpr (requires { l.p; }) add(l.p);
            },
            layer);
    }
    return rates;
}

void require_pure(const char* name, const std::optional<optim::Schedule>& schedule) {
    require(!schedule || !std::holds_alternative<optim::ReduceOnPlateau>(*schedule),
            std::string("schedule['") + name + "']", "ReduceOnPlateau",
            "a function of the step: only lr can follow a score");
}

// Nothing is allocated unless the value is wrong: every step comes here.
void check_value(const char* name,
                 double value,
                 bool ok,
                 const char* expected,
                 std::int64_t epoch,
                 std::int64_t step) {
    if (ok) return;
    require(false,
            std::string("schedule['") + name + "'] at step " + std::to_string(step) +
                " (epoch " + std::to_string(epoch) + ")",
            value, expected);
}

}  // namespace

template <class T>
OtherSchedules::OtherSchedules(const OtherSchedulesConfig& config,
                               const optim::Method& method,
                               const Network<T>& network)
    : config_(config), dropout_(dropout_rates(network)) {
    require_pure("weight_decay", config.weight_decay);
    require_pure("momentum", config.momentum);
    require_pure("dropout", config.dropout);
    const auto* rule = std::get_if<optim::Rule>(&method);
    require(rule || config.none(), "schedule", "L-BFGS",
            "of lr alone with L-BFGS, which has no other setting to change");
    if (!rule) return;
    const auto weight_decay = optim::weight_decay_of(*rule);
    const auto momentum = optim::momentum_of(*rule);
    weight_decay_ = weight_decay.value_or(0);
    momentum_ = momentum.value_or(0);
    require(!config.weight_decay || weight_decay, "schedule['weight_decay']",
            "an optimizer without it", "left out");
    require(!config.momentum || momentum_ > 0, "schedule['momentum']",
            "an optimizer without momentum", "left out");
    require(!config.dropout || !dropout_.empty(), "schedule['dropout']",
            "a network without dropout", "left out");
}

StepSettings OtherSchedules::at(std::int64_t epoch,
                                std::int64_t step,
                                double lr) const {
    StepSettings settings{{lr, {}, {}}, nullptr, epoch, step};
    if (config_.weight_decay) {
        const double value =
            optim::schedule_at(*config_.weight_decay, epoch, step, weight_decay_);
        check_value("weight_decay", value, std::isfinite(value) && value >= 0,
                    "a finite number >= 0", epoch, step);
        settings.rates.weight_decay = value;
    }
    if (config_.momentum) {
        const double value =
            optim::schedule_at(*config_.momentum, epoch, step, momentum_);
        check_value("momentum", value, value >= 0 && value < 1, "in [0, 1)", epoch,
                    step);
        settings.rates.momentum = value;
    }
    if (config_.dropout) {
        settings.dropout = &*config_.dropout;
        for (const double p : dropout_) {
            const double value = settings.dropout_rate(p);
            check_value("dropout", value, value >= 0 && value < 1, "in [0, 1)", epoch,
                        step);
        }
    }
    return settings;
}

bool OtherSchedules::count_steps() const {
    const auto counts = [](const std::optional<optim::Schedule>& schedule) {
        return schedule && optim::counts_steps(*schedule);
    };
    return counts(config_.weight_decay) || counts(config_.momentum) ||
           counts(config_.dropout);
}

void OtherSchedules::check(std::int64_t epoch,
                           std::int64_t epochs,
                           std::int64_t step,
                           std::int64_t steps_per_epoch) const {
    if (config_.none()) return;
    const std::int64_t each = count_steps() ? 1 : steps_per_epoch;
    std::int64_t left = kMostChecked;
    for (std::int64_t e = 0; e < epochs; ++e) {
        for (std::int64_t s = 0; s < steps_per_epoch; s += each) {
            if (left-- == 0) return;
            at(epoch + e, step + e * steps_per_epoch + s, 0);
        }
    }
}

void OtherSchedules::log(const StepSettings& settings, Logs& logs) const {
    if (settings.rates.weight_decay) {
        logs.emplace_back("weight_decay", *settings.rates.weight_decay);
    }
    if (settings.rates.momentum) {
        logs.emplace_back("momentum", *settings.rates.momentum);
    }
    if (settings.dropout) {
        logs.emplace_back("dropout", settings.dropout_rate(dropout_.front()));
    }
}

template OtherSchedules::OtherSchedules(const OtherSchedulesConfig&,
                                        const optim::Method&,
                                        const Network<float>&);
template OtherSchedules::OtherSchedules(const OtherSchedulesConfig&,
                                        const optim::Method&,
                                        const Network<double>&);

}  // namespace fastnn
