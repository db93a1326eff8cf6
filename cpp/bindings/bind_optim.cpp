// Optimizers on plain NumPy arrays, and schedules.
#include <algorithm>
#include <array>

#include <pybind11/numpy.h>

#include "bindings/optim_from_dict.hpp"
#include "bindings/running.hpp"
#include "bindings/update_operands.hpp"
#include "fastnn/core/threads.hpp"
#include "fastnn/optim/optimizer.hpp"

namespace fastnn::bindings {
namespace {

using optim::RunningRule;
using optim::Slot;
using optim::Slots;

// Below this many elements, handing the GIL over costs more than it gives.
constexpr Index kReleaseGilAbove = 1 << 14;

// A rule ready to update arrays at any step.
class UpdateRule {
public:
    explicit UpdateRule(const py::dict& dict)
        : rule_(rule_from_dict(dict)), slots_(slots_of(rule_)), running_(rule_) {}

    py::dict slots() const {
        py::dict initial;
        for (const Slot& slot : slots_) initial[slot.name] = slot.initial;
        return initial;
    }

    void update(const py::object& params,
                const py::object& grads,
                const py::object& slots,
                std::int64_t step,
                std::optional<double> lr,
                std::optional<double> mu_product) {
        if (!py::isinstance<py::dict>(slots) && !py::isinstance<py::tuple>(slots)) {
            throw py::type_error("slots must be a dict, got " + type_name(slots));
        }
        require(step >= 1, "step", step, "an integer >= 1");
        if (lr) require_not_negative("lr", *lr);
        // A copy: once the GIL is released, here or in NumPy while it copies arrays,
        // another thread may move this rule's step. A product that the caller gave is
        // his alone: the next step must not go on from it.
        RunningRule running = running_;
        running.set_step(step, lr.value_or(lr_of(rule_)), mu_product);
        if (!mu_product) running_ = running;
        if (py::isinstance<py::array_t<float>>(params)) {
            update_as<float>(running, params, grads, slots);
        } else if (py::isinstance<py::array_t<double>>(params)) {
            update_as<double>(running, params, grads, slots);
        } else {
            throw_unusable(params);
        }
    }

private:
    template <class T>
    void update_as(const RunningRule& running,
                   const py::object& params,
                   const py::object& grads,
                   const py::object& slots) {
        Operands<T> arrays(params, grads, slots, slots_);
        const Index n = arrays.size();
        T* const p = arrays.params();
        const T* const g = arrays.grads();
        const auto s = arrays.slots();
        {
            std::optional<ReleasedGil> released;
            // Means of gradients that became exactly zero decay into denormal numbers,
            // on which processors are ten times slower.
            const FlushDenormals flush;
            if (n > kReleaseGilAbove) released.emplace();
            running.update(n, p, g, s.data());
        }
        arrays.write_back();
    }

    [[noreturn]] static void throw_unusable(const py::object& params) {
        const bool array = py::isinstance<py::array>(params);
        throw py::type_error(
            "params must be a NumPy array of dtype float32 or float64, got " +
            (array ? "dtype " + text_of(params.attr("dtype")) : type_name(params)));
    }

    optim::Rule rule_;
    Slots slots_;
    RunningRule running_;
};

}  // namespace

void register_optim(py::module_& m) {
    using namespace py::literals;

    m.def(
        "check_optimizer", [](const py::dict& dict) { method_from_dict(dict); },
        "optimizer"_a, "Raise ValueError for a setting out of range.");
    m.def(
        "check_schedule", [](const py::dict& dict) { schedule_from_dict(dict); },
        "schedule"_a, "Raise ValueError for a setting out of range.");
    m.def(
        "schedule_at",
        [](const py::dict& dict, double t, double lr) {
            require_not_negative("step", t);
            require_not_negative("lr", lr);
            return optim::schedule_at(schedule_from_dict(dict), t, lr);
        },
        "schedule"_a, "t"_a, "lr"_a, "The learning rate at step t, from lr.");

    py::class_<UpdateRule>(m, "UpdateRule", py::module_local(),
                           "An optimizer's rule, to update NumPy arrays in place.")
        .def(py::init<const py::dict&>(), "optimizer"_a)
        .def("slots", &UpdateRule::slots,
             "The names of the state and its initial values.")
        .def("update", &UpdateRule::update, "params"_a, "grads"_a, "slots"_a, "step"_a,
             "lr"_a = py::none(), "mu_product"_a = py::none(),
             "One update, in place, of params and slots.");

    using optim::LearningRate;
    py::class_<LearningRate>(m, "LearningRate", py::module_local(),
                             "The learning rate of a training run.")
        .def(py::init([](const py::object& schedule, double lr) {
                 return LearningRate(schedule_or_none(schedule), lr);
             }),
             "schedule"_a, "lr"_a)
        .def("at", &LearningRate::at, "epoch"_a, "step"_a)
        .def_property_readonly(
            "monitor",
            [](const LearningRate& rate) {
                return rate.monitor() ? std::optional(*rate.monitor()) : std::nullopt;
            })
        .def("end_epoch", &LearningRate::end_epoch, "score"_a);
}

}  // namespace fastnn::bindings
