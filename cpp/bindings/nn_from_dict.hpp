// Layers, losses and training options from their Python descriptions.
#pragma once

#include <vector>

#include <pybind11/pybind11.h>

#include "fastnn/nn/augment_spec.hpp"
#include "fastnn/nn/layer_spec.hpp"
#include "fastnn/nn/loss.hpp"
#include "fastnn/train/config.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

Activation activation_from_dict(const py::dict& dict);
LayerSpec layer_from_dict(const py::dict& dict);
std::vector<LayerSpec> layers_from_dicts(const py::list& dicts);
Loss loss_from_dict(const py::dict& dict);
Augment augment_from_dict(const py::dict& dict);
GradientNoise gradient_noise_from_dict(const py::dict& dict);
FitConfig fit_config_from_dict(const py::dict& dict);

}  // namespace fastnn::bindings

namespace pybind11::detail {

// What a description becomes wherever one is a value itself: an argument, an element, a
// field of another.
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
struct type_caster<fastnn::Augment>
    : dict_caster<fastnn::Augment, fastnn::bindings::augment_from_dict> {};

}  // namespace pybind11::detail
