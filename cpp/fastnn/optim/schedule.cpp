#include "fastnn/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "fastnn/core/error.hpp"

namespace fastnn::optim {
namespace {

void require_per(const std::string& per) {
    require(per == "epoch" || per == "step", "per", "'" + per + "'",
            "'epoch' or 'step'");
}

void require_count(const char* argument, std::int64_t value) {
    require(value >= 1, argument, value, "an integer >= 1");
}

// From `from` at x = 0 to `to` at x = 1 along half a cosine.
double half_cosine(double from, double to, double x) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * x)) / 2;
}

template <class S>
constexpr bool kWatches = std::is_same_v<S, ReduceOnPlateau>;

const std::string* per_of(const Schedule& schedule) {
    return std::visit(
        [](const auto& s) -> const std::string* {
            if constexpr (kWatches<std::decay_t<decltype(s)>>) {
                return nullptr;
            } else {
                return &s.per;
            }
        },
        schedule);
}

}  // namespace

void StepDecay::validate() const {
    require_count("step_size", step_size);
    require_positive("gamma", gamma);
    require_per(per);
}
double StepDecay::at(double t, double lr) const {
    return lr * std::pow(gamma, std::floor(t / static_cast<double>(step_size)));
}

void MultiStep::validate() const {
    require(!milestones.empty(), "milestones", "()", "at least one integer");
    require_count("milestones[0]", milestones.front());
    for (std::size_t i = 1; i < milestones.size(); ++i) {
        require(
            milestones[i] > milestones[i - 1], "milestones[" + std::to_string(i) + "]",
            milestones[i],
            "above " + std::to_string(milestones[i - 1]) + ", the milestone before it");
    }
    require_positive("gamma", gamma);
    require_per(per);
}
double MultiStep::at(double t, double lr) const {
    const auto passed =
        std::count_if(milestones.begin(), milestones.end(),
                      [t](auto m) { return static_cast<double>(m) <= t; });
    return lr * std::pow(gamma, static_cast<double>(passed));
}

void Exponential::validate() const {
    require_positive("gamma", gamma);
    require_per(per);
}
double Exponential::at(double t, double lr) const { return lr * std::pow(gamma, t); }

void InverseTime::validate() const {
    require_not_negative("decay", decay);
    require_per(per);
}
double InverseTime::at(double t, double lr) const { return lr / (1 + decay * t); }

void Linear::validate() const {
    require_not_negative("start_factor", start_factor);
    require_not_negative("end_factor", end_factor);
    require_count("total", total);
    require_per(per);
}
double Linear::at(double t, double lr) const {
    const double x = std::min(t / static_cast<double>(total), 1.0);
    return lr * (start_factor + (end_factor - start_factor) * x);
}

void Polynomial::validate() const {
    require_count("total", total);
    require_positive("power", power);
    require_per(per);
}
double Polynomial::at(double t, double lr) const {
    return lr * std::pow(1 - std::min(t / static_cast<double>(total), 1.0), power);
}

void Cosine::validate() const {
    require_count("total", total);
    require_not_negative("min_lr", min_lr);
    require_per(per);
}
double Cosine::at(double t, double lr) const {
    return half_cosine(lr, min_lr, std::min(t / static_cast<double>(total), 1.0));
}

void CosineRestarts::validate() const {
    require_count("period", period);
    require_count("mult", mult);
    require_not_negative("min_lr", min_lr);
    require_per(per);
}
double CosineRestarts::at(double t, double lr) const {
    const auto first = static_cast<double>(period), m = static_cast<double>(mult);
    double start = 0;
    double length = first;
    if (mult == 1) return half_cosine(lr, min_lr, std::fmod(t, first) / first);
    // Lengths grow by powers of mult: few rounds even for a large t.
    while (t >= start + length) {
        start += length;
        length *= m;
    }
    return half_cosine(lr, min_lr, (t - start) / length);
}

void OneCycle::validate() const {
    require_count("total", total);
    require_positive("max_lr", max_lr);
    require(pct_start >= 0 && pct_start <= 1, "pct_start", pct_start, "in [0, 1]");
    require_positive("div", div);
    require_positive("final_div", final_div);
    require_per(per);
}
double OneCycle::at(double t, double /*lr*/) const {
    const double first = max_lr / div;
    const double last = first / final_div;
    const double end = static_cast<double>(total) - 1;
    const double top = pct_start * static_cast<double>(total) - 1;
    if (t >= end) return last;
    if (t <= top) return half_cosine(first, max_lr, top > 0 ? t / top : 1.0);
    return half_cosine(max_lr, last, (t - top) / (end - top));
}

void Cyclic::validate() const {
    require_not_negative("base_lr", base_lr);
    require(std::isfinite(max_lr) && max_lr >= base_lr, "max_lr", max_lr,
            "a finite number >= base_lr");
    require_count("up", up);
    if (down) require_count("down", *down);
    require_per(per);
}
double Cyclic::at(double t, double /*lr*/) const {
    const auto rise = static_cast<double>(up);
    const auto fall = static_cast<double>(down.value_or(up));
    const double x = std::fmod(t, rise + fall);
    const double height = x <= rise ? x / rise : (rise + fall - x) / fall;
    return base_lr + (max_lr - base_lr) * height;
}

void Warmup::validate() const {
    require_count("steps", steps);
    require_per(per);
    if (!then.schedule) return;
    const std::string* unit = per_of(then.schedule->schedule);
    require(unit != nullptr, "then", "ReduceOnPlateau",
            "a schedule that is a function of the step, or None");
    require(*unit == per, "then", "a schedule per " + *unit,
            "counted per " + per + " as the warm-up is: give both the same `per`");
}
double Warmup::at(double t, double lr) const {
    const auto n = static_cast<double>(steps);
    if (t < n) return lr * std::min((t + 1) / n, 1.0);
    return then.schedule ? schedule_at(then.schedule->schedule, t - n, lr) : lr;
}

void ReduceOnPlateau::validate() const {
    require(!monitor.empty(), "monitor", "''", "the name of a score of the history");
    require(mode == "auto" || mode == "min" || mode == "max", "mode", "'" + mode + "'",
            "'auto', 'min' or 'max'");
    require(factor > 0 && factor < 1, "factor", factor, "in (0, 1)");
    require(patience >= 0, "patience", patience, "an integer >= 0");
    require_not_negative("threshold", threshold);
    require(threshold_mode == "rel" || threshold_mode == "abs", "threshold_mode",
            "'" + threshold_mode + "'", "'rel' or 'abs'");
    require(cooldown >= 0, "cooldown", cooldown, "an integer >= 0");
    require_not_negative("min_lr", min_lr);
    require_not_negative("eps", eps);
}

bool ReduceOnPlateau::maximizes() const {
    return mode == "max" || (mode == "auto" && greater_is_better(monitor));
}

bool greater_is_better(const std::string& monitor) {
    for (const char* name : {"accuracy", "acc", "auc", "r2"}) {
        if (monitor.ends_with(name)) return true;
    }
    return false;
}

namespace {

bool improves(const ReduceOnPlateau& rule, double score, double best) {
    const bool relative = rule.threshold_mode == "rel";
    if (rule.maximizes()) {
        return score > (relative ? best * (1 + rule.threshold) : best + rule.threshold);
    }
    return score < (relative ? best * (1 - rule.threshold) : best - rule.threshold);
}

void watch(const ReduceOnPlateau& rule, double score, LearningRate::Plateau& p) {
    if (improves(rule, score, p.best)) {
        p.best = score;
        p.bad_epochs = 0;
    } else {
        ++p.bad_epochs;
    }
    if (p.cooldown_left > 0) {
        --p.cooldown_left;
        p.bad_epochs = 0;
    }
    if (p.bad_epochs <= rule.patience) return;
    const double lower = std::max(p.lr * rule.factor, rule.min_lr);
    if (p.lr - lower > rule.eps) p.lr = lower;
    p.cooldown_left = rule.cooldown;
    p.bad_epochs = 0;
}

}  // namespace

void validate(const Schedule& schedule) {
    std::visit([](const auto& s) { s.validate(); }, schedule);
}

double schedule_at(const Schedule& schedule, double t, double lr) {
    return std::visit(
        [&](const auto& s) -> double {
            if constexpr (kWatches<std::decay_t<decltype(s)>>) {
                throw std::invalid_argument(
                    "ReduceOnPlateau has no rate at a step: it depends on the scores "
                    "of the run");
            } else {
                return s.at(t, lr);
            }
        },
        schedule);
}

bool counts_steps(const Schedule& schedule) {
    const std::string* per = per_of(schedule);
    return per && *per == "step";
}

double schedule_at(const Schedule& schedule,
                   std::int64_t epoch,
                   std::int64_t step,
                   double lr) {
    const std::int64_t t = counts_steps(schedule) ? step : epoch;
    return schedule_at(schedule, static_cast<double>(t), lr);
}

LearningRate::LearningRate(std::optional<Schedule> schedule, double base_lr)
    : schedule_(std::move(schedule)), base_lr_(base_lr) {
    plateau_.lr = base_lr;
    const auto* rule = schedule_ ? std::get_if<ReduceOnPlateau>(&*schedule_) : nullptr;
    const double worst = std::numeric_limits<double>::infinity();
    plateau_.best = rule && rule->maximizes() ? -worst : worst;
}

double LearningRate::at(std::int64_t epoch, std::int64_t step) const {
    if (!schedule_) return base_lr_;
    if (std::holds_alternative<ReduceOnPlateau>(*schedule_)) return plateau_.lr;
    return schedule_at(*schedule_, epoch, step, base_lr_);
}

const std::string* LearningRate::monitor() const {
    const auto* rule = schedule_ ? std::get_if<ReduceOnPlateau>(&*schedule_) : nullptr;
    return rule ? &rule->monitor : nullptr;
}

void LearningRate::end_epoch(double score) {
    const auto* rule = schedule_ ? std::get_if<ReduceOnPlateau>(&*schedule_) : nullptr;
    if (rule) watch(*rule, score, plateau_);
}

}  // namespace fastnn::optim
