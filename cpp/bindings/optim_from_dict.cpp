#include "bindings/optim_from_dict.hpp"

#include "bindings/config_from_dict.hpp"

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
