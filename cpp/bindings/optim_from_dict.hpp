// Optimizers and schedules from their Python descriptions.
#pragma once

#include <memory>
#include <optional>

#include <pybind11/pybind11.h>

#include "fastnn/optim/method.hpp"
#include "fastnn/optim/schedule.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

optim::Rule rule_from_dict(const py::dict& dict);
optim::Lbfgs lbfgs_from_dict(const py::dict& dict);
optim::Method method_from_dict(const py::dict& dict);
optim::Schedule schedule_from_dict(const py::dict& dict);
std::optional<optim::Schedule> schedule_or_none(const py::object& schedule);

}  // namespace fastnn::bindings

namespace pybind11::detail {

// A schedule within a description, such as Warmup's `then` and SWA's `schedule`: its
// dict or None. Whoever reads such a description must see this.
template <>
struct type_caster<fastnn::optim::Nested> {
    PYBIND11_TYPE_CASTER(fastnn::optim::Nested, const_name("dict | None"));

    bool load(handle source, bool) {
        if (source.is_none()) return true;
        if (!isinstance<dict>(source)) return false;
        value.schedule = std::make_shared<const fastnn::optim::AnySchedule>(
            fastnn::optim::AnySchedule{fastnn::bindings::schedule_from_dict(
                reinterpret_borrow<dict>(source))});
        return true;
    }
};

}  // namespace pybind11::detail
