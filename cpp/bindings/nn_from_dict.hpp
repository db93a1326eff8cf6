// Layers, losses and training options from their Python descriptions.
#pragma once

#include "bindings/config_from_dict.hpp"
#include "bindings/optim_from_dict.hpp"
#include "fastnn/nn/augment_spec.hpp"
#include "fastnn/nn/layer_spec.hpp"
#include "fastnn/nn/loss.hpp"
#include "fastnn/train/config.hpp"

namespace pybind11::detail {

// A description nested in another: the field holds the inner one's dict.
template <class Config, Config (*from_dict)(const dict&)>
struct dict_caster {
    PYBIND11_TYPE_CASTER(Config, const_name("dict"));

    bool load(handle source, bool) {
        if (!isinstance<dict>(source)) return false;
        value = from_dict(reinterpret_borrow<dict>(source));
        return true;
    }
};

template <>
struct type_caster<fastnn::Activation>
    : dict_caster<fastnn::Activation,
                  fastnn::bindings::variant_from_dict<fastnn::Activation>> {};

template <>
struct type_caster<fastnn::EarlyStopping>
    : dict_caster<fastnn::EarlyStopping,
                  fastnn::bindings::config_from_dict<fastnn::EarlyStopping>> {};

template <>
struct type_caster<fastnn::Averaging>
    : dict_caster<fastnn::Averaging,
                  fastnn::bindings::variant_from_dict<fastnn::Averaging>> {};

template <>
struct type_caster<fastnn::Augment>
    : dict_caster<fastnn::Augment,
                  fastnn::bindings::variant_from_dict<fastnn::Augment>> {};

}  // namespace pybind11::detail

namespace fastnn::bindings {

inline LayerSpec layer_from_dict(const py::dict& dict) {
    // Activations are layers too, and form a variant of their own.
    using Named =
        std::variant<spec::Dense, spec::BatchNorm, spec::LayerNorm, spec::Dropout>;
    const auto kind = py::cast<std::string>(dict["kind"]);
    const bool named = kind == spec::Dense::kKind || kind == spec::BatchNorm::kKind ||
                       kind == spec::LayerNorm::kKind || kind == spec::Dropout::kKind;
    if (!named) return variant_from_dict<Activation>(dict);
    return std::visit([](auto config) -> LayerSpec { return config; },
                      variant_from_dict<Named>(dict));
}

inline std::vector<LayerSpec> layers_from_dicts(const py::list& dicts) {
    std::vector<LayerSpec> specs;
    for (const py::handle d : dicts)
        specs.push_back(layer_from_dict(py::cast<py::dict>(d)));
    return specs;
}

inline Loss loss_from_dict(const py::dict& dict) {
    if (dict.contains("judge")) {  // Python's own part of a custom loss
        const auto rest = py::reinterpret_steal<py::dict>(PyDict_Copy(dict.ptr()));
        rest.attr("pop")("judge");
        return variant_from_dict<Loss>(rest);
    }
    return variant_from_dict<Loss>(dict);
}

}  // namespace fastnn::bindings
