#include "bindings/nn_from_dict.hpp"

#include "bindings/config_from_dict.hpp"
#include "bindings/optim_from_dict.hpp"

namespace pybind11::detail {

template <>
struct type_caster<fastnn::Activation>
    : dict_caster<fastnn::Activation, fastnn::bindings::activation_from_dict> {};

template <>
struct type_caster<fastnn::EarlyStopping>
    : dict_caster<fastnn::EarlyStopping,
                  fastnn::bindings::config_from_dict<fastnn::EarlyStopping>> {};

template <>
struct type_caster<fastnn::Averaging>
    : dict_caster<fastnn::Averaging,
                  fastnn::bindings::variant_from_dict<fastnn::Averaging>> {};

template <>  // of a layer within a block
struct type_caster<fastnn::LayerSpec>
    : dict_caster<fastnn::LayerSpec, fastnn::bindings::layer_from_dict> {};

}  // namespace pybind11::detail

namespace fastnn::bindings {
namespace {

// The layer whose kKind equals dict["kind"], or the activation: activations are layers
// too, and form a variant of their own, the last.
template <class Spec, std::size_t I = 0>
LayerSpec layer_of_kind(const py::dict& dict) {
    using Config = std::variant_alternative_t<I, Spec>;
    if constexpr (std::is_same_v<Config, Activation>) {
        return activation_from_dict(dict);
    } else {
        if (py::cast<std::string>(dict["kind"]) == Config::kKind) {
            return config_from_dict<Config>(dict);
        }
        return layer_of_kind<Spec, I + 1>(dict);
    }
}

}  // namespace

Activation activation_from_dict(const py::dict& dict) {
    return variant_from_dict<Activation>(dict);
}

LayerSpec layer_from_dict(const py::dict& dict) {
    return layer_of_kind<LayerSpec>(dict);
}

std::vector<LayerSpec> layers_from_dicts(const py::list& dicts) {
    std::vector<LayerSpec> specs;
    for (const py::handle d : dicts)
        specs.push_back(layer_from_dict(py::cast<py::dict>(d)));
    return specs;
}

Loss loss_from_dict(const py::dict& dict) {
    if (dict.contains("judge")) {  // Python's own part of a custom loss
        const auto rest = py::reinterpret_steal<py::dict>(PyDict_Copy(dict.ptr()));
        rest.attr("pop")("judge");
        return variant_from_dict<Loss>(rest);
    }
    return variant_from_dict<Loss>(dict);
}

Augment augment_from_dict(const py::dict& dict) {
    return variant_from_dict<Augment>(dict);
}

GradientNoise gradient_noise_from_dict(const py::dict& dict) {
    return config_from_dict<GradientNoise>(dict);
}

FitConfig fit_config_from_dict(const py::dict& dict) {
    return config_from_dict<FitConfig>(dict);
}

}  // namespace fastnn::bindings
