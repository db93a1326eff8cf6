// An update rule in motion, over one flat buffer of parameters or over loose
// arrays.
#pragma once

#include <optional>

#include "fastnn/core/buffer.hpp"
#include "fastnn/optim/rules.hpp"

namespace fastnn::optim {

// Every rule together with the scalars of its step.
template <class R>
struct Running {
    R rule;
    typename R::Scalars scalars{};
};
template <class Variant>
struct RunningOf;
template <class... R>
struct RunningOf<std::variant<R...>> {
    using type = std::variant<Running<R>...>;
};

// What a schedule gives a step; an empty one is the rule's own.
struct StepRates {
    double lr = 0;
    std::optional<double> weight_decay;
    std::optional<double> momentum;  // of a rule without: the first of its betas
};

// A rule and where it stands, without the state per parameter. Small and
// trivially copyable.
class RunningRule {
public:
    explicit RunningRule(const Rule& rule);

    // The rule's settings from the next set_step on.
    void set_weight_decay(double weight_decay);
    void set_momentum(double momentum);
    // Computes the scalars of step t >= 1 at this learning rate. NAdam's
    // mu_product is carried from step to step; after a jump it is multiplied up
    // from the first step.
    void set_step(std::int64_t t,
                  double lr,
                  std::optional<double> mu_product = std::nullopt);
    const Step& step() const noexcept { return step_; }

    // One fused pass over n elements. Safe from several threads at once on
    // disjoint elements. params and grads may be the same array, nothing else may
    // overlap.
    template <class T>
    void update(Index n,
                T* params,        // (n)
                const T* grads,   // (n)
                T* const* slots,  // as many arrays (n) as the rule has slots
                double lr_scale = 1.0) const noexcept;

private:
    RunningOf<Rule>::type running_;
    Step step_;
};

// A rule with its state for n parameters. The slots lie in one buffer, each
// laid out as the parameters are.
template <class T>
class Optimizer {
public:
    Optimizer(const Rule& rule, Index n_parameters);

    // Advances the step by one and computes its scalars. Call once, from one
    // thread, before the updates of a step.
    void begin_step(const StepRates& rates);

    // Updates the elements r of the flat buffer `params`. grads[0] is the
    // gradient of element r.begin. lr_scale multiplies the learning rate for
    // these elements (Rprop, whose steps adapt themselves, pays it no heed).
    // Disjoint ranges may run at once.
    void update(Range r, T* params, const T* grads, double lr_scale = 1.0) noexcept;

    std::int64_t step() const noexcept { return running_.step().t; }
    double lr() const noexcept { return lr_of(rule_); }  // the rule's own
    const Rule& rule() const noexcept { return rule_; }
    Index n_parameters() const noexcept { return n_parameters_; }

    // The state, to save and to restore it: slots by position, in the order of
    // slots(), and the step that stands for all scalars.
    const Slots& slots() const noexcept { return slots_; }
    VectorView<T> slot(Index k) noexcept;
    VectorView<const T> slot(Index k) const noexcept;
    void restore_step(std::int64_t step);
    // Forgets all state: as if freshly built.
    void reset();

private:
    Rule rule_;
    Slots slots_;
    RunningRule running_;
    Index n_parameters_;
    Index stride_;  // from slot to slot
    Buffer<T> state_;
};

}  // namespace fastnn::optim
