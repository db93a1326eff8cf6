#include "bindings/optim_from_dict.hpp"

#include <memory>

#include "bindings/config_from_dict.hpp"

namespace pybind11::detail {

// Warmup's `then`: a schedule's dict or None.
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

namespace fastnn::bindings {

optim::Rule rule_from_dict(const py::dict& dict) {
    return variant_from_dict<optim::Rule>(dict);
}

optim::Lbfgs lbfgs_from_dict(const py::dict& dict) {
    return config_from_dict<optim::Lbfgs>(dict);
}

optim::Method method_from_dict(const py::dict& dict) {
    if (py::cast<std::string>(dict["kind"]) == optim::Lbfgs::kKind) {
        return lbfgs_from_dict(dict);
    }
    return rule_from_dict(dict);
}

optim::Schedule schedule_from_dict(const py::dict& dict) {
    return variant_from_dict<optim::Schedule>(dict);
}

std::optional<optim::Schedule> schedule_or_none(const py::object& schedule) {
    if (schedule.is_none()) return std::nullopt;
    return schedule_from_dict(py::cast<py::dict>(schedule));
}

}  // namespace fastnn::bindings
