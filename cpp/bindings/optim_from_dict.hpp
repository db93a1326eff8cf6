// Optimizers and schedules from their Python descriptions.
#pragma once

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
