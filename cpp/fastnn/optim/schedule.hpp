// Schedules of the learning rate: pure functions of the step t = 0, 1, 2, ... (epochs,
// or steps with per = "step"), and ReduceOnPlateau, which watches a score. The pure
// ones serve other settings too, which then stand for lr.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fastnn/core/fields.hpp"

namespace fastnn::optim {

// lr gamma^floor(t / step_size)
struct StepDecay {
    static constexpr const char* kKind = "step_decay";
    std::int64_t step_size = 1;
    double gamma = 0.1;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("step_size", &StepDecay::step_size),
                          field("gamma", &StepDecay::gamma),
                          field("per", &StepDecay::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// lr gamma^(number of milestones <= t)
struct MultiStep {
    static constexpr const char* kKind = "multi_step";
    std::vector<std::int64_t> milestones;
    double gamma = 0.1;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("milestones", &MultiStep::milestones),
                          field("gamma", &MultiStep::gamma),
                          field("per", &MultiStep::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// lr gamma^t
struct Exponential {
    static constexpr const char* kKind = "exponential";
    double gamma = 1;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("gamma", &Exponential::gamma),
                          field("per", &Exponential::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// lr / (1 + decay t)
struct InverseTime {
    static constexpr const char* kKind = "inverse_time";
    double decay = 0;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("decay", &InverseTime::decay),
                          field("per", &InverseTime::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// lr times a factor that goes straight from start_factor to end_factor and
// stays there
struct Linear {
    static constexpr const char* kKind = "linear";
    double start_factor = 1;
    double end_factor = 1;
    std::int64_t total = 1;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("start_factor", &Linear::start_factor),
                          field("end_factor", &Linear::end_factor),
                          field("total", &Linear::total), field("per", &Linear::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// lr (1 - t / total)^power, then 0
struct Polynomial {
    static constexpr const char* kKind = "polynomial";
    std::int64_t total = 1;
    double power = 1;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("total", &Polynomial::total),
                          field("power", &Polynomial::power),
                          field("per", &Polynomial::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// Half a cosine from lr to min_lr, then min_lr
struct Cosine {
    static constexpr const char* kKind = "cosine";
    std::int64_t total = 1;
    double min_lr = 0;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("total", &Cosine::total),
                          field("min_lr", &Cosine::min_lr), field("per", &Cosine::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// Half cosines one after the other, each `mult` times as long as the one before
struct CosineRestarts {
    static constexpr const char* kKind = "cosine_restarts";
    std::int64_t period = 1;
    std::int64_t mult = 1;
    double min_lr = 0;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("period", &CosineRestarts::period),
                          field("mult", &CosineRestarts::mult),
                          field("min_lr", &CosineRestarts::min_lr),
                          field("per", &CosineRestarts::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// Half a cosine from max_lr / div up to max_lr over pct_start of the way,
// another down to max_lr / div / final_div at total - 1, which stays. The
// optimizer's lr is not used.
struct OneCycle {
    static constexpr const char* kKind = "one_cycle";
    std::int64_t total = 1;
    double max_lr = 1e-2;
    double pct_start = 0.3;
    double div = 25;
    double final_div = 1e4;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("total", &OneCycle::total),
                          field("max_lr", &OneCycle::max_lr),
                          field("pct_start", &OneCycle::pct_start),
                          field("div", &OneCycle::div),
                          field("final_div", &OneCycle::final_div),
                          field("per", &OneCycle::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// A triangle wave: from base_lr to max_lr in `up`, back in `down`, without end.
// The optimizer's lr is not used.
struct Cyclic {
    static constexpr const char* kKind = "cyclic";
    double base_lr = 1e-4;
    double max_lr = 1e-2;
    std::int64_t up = 1;
    std::optional<std::int64_t> down;  // none: as long as `up`
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("base_lr", &Cyclic::base_lr),
                          field("max_lr", &Cyclic::max_lr), field("up", &Cyclic::up),
                          field("down", &Cyclic::down), field("per", &Cyclic::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

// Keeps the rate until the monitored score has not improved for more than
// `patience` epochs, then multiplies it by `factor`, and so on. Counts epochs.
struct ReduceOnPlateau {
    static constexpr const char* kKind = "reduce_on_plateau";
    std::string monitor = "val_loss";
    std::string mode = "auto";  // "min", "max"; auto: max for scores, min for losses
    double factor = 0.1;
    std::int64_t patience = 10;
    double threshold = 1e-4;
    std::string threshold_mode = "rel";  // "abs"
    std::int64_t cooldown = 0;
    double min_lr = 0;
    double eps = 1e-8;

    static constexpr auto fields() {
        using Self = ReduceOnPlateau;
        return std::tuple{field("monitor", &Self::monitor),
                          field("mode", &Self::mode),
                          field("factor", &Self::factor),
                          field("patience", &Self::patience),
                          field("threshold", &Self::threshold),
                          field("threshold_mode", &Self::threshold_mode),
                          field("cooldown", &Self::cooldown),
                          field("min_lr", &Self::min_lr),
                          field("eps", &Self::eps)};
    }
    void validate() const;
    bool maximizes() const;
};

// A schedule inside a schedule, shared because it never changes; it may be
// absent.
struct AnySchedule;
struct Nested {
    std::shared_ptr<const AnySchedule> schedule;
};

// lr (t + 1) / steps for t < steps, then `then` counted from t = steps (none:
// lr)
struct Warmup {
    static constexpr const char* kKind = "warmup";
    std::int64_t steps = 1;
    Nested then;
    std::string per = "epoch";

    static constexpr auto fields() {
        return std::tuple{field("steps", &Warmup::steps), field("then", &Warmup::then),
                          field("per", &Warmup::per)};
    }
    void validate() const;
    double at(double t, double lr) const;
};

using Schedule = std::variant<StepDecay,
                              MultiStep,
                              Exponential,
                              InverseTime,
                              Linear,
                              Polynomial,
                              Cosine,
                              CosineRestarts,
                              OneCycle,
                              Cyclic,
                              Warmup,
                              ReduceOnPlateau>;

struct AnySchedule {
    Schedule schedule;
};

void validate(const Schedule& schedule);
// The learning rate at t; std::invalid_argument for ReduceOnPlateau, which has
// no memory here.
double schedule_at(const Schedule& schedule, double t, double lr);
// The same after so many epochs or steps, whichever it counts.
double schedule_at(const Schedule& schedule,
                   std::int64_t epoch,
                   std::int64_t step,
                   double lr);
bool counts_steps(const Schedule& schedule);

// Whether a score by this name is better when it is greater: accuracies, areas under
// curves and coefficients of determination are.
bool greater_is_better(const std::string& monitor);

// The learning rate of a training run.
class LearningRate {
public:
    LearningRate(std::optional<Schedule> schedule, double base_lr);

    double at(std::int64_t epoch, std::int64_t step) const;  // both from 0
    // Goes on from another rate of the optimizer.
    double base() const noexcept { return base_lr_; }
    void set_base(double lr) { base_lr_ = lr; }
    // The name of the score to hand to end_epoch, or null when none is watched.
    const std::string* monitor() const;
    // Tells ReduceOnPlateau the monitored score of the epoch that ended.
    void end_epoch(double score);

    // What ReduceOnPlateau remembers.
    struct Plateau {
        double lr = 0;
        double best = 0;
        std::int64_t bad_epochs = 0;
        std::int64_t cooldown_left = 0;
    };
    const Plateau& plateau() const noexcept { return plateau_; }
    void restore(const Plateau& plateau) { plateau_ = plateau; }

private:
    std::optional<Schedule> schedule_;
    double base_lr_;
    Plateau plateau_;
};

}  // namespace fastnn::optim
