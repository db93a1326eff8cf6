// Python dict -> config struct, by the struct's own table of fields (core/fields.hpp).
#pragma once

#include <stdexcept>
#include <string>
#include <variant>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "fastnn/core/fields.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

// A field that is absent keeps its default; a key that is no field is an error.
template <class Config>
Config config_from_dict(const py::dict& dict) {
    Config config;
    std::size_t used = dict.contains("kind") ? 1 : 0;
    for_each_field(config, [&](const char* name, auto& member) {
        if (!dict.contains(name)) return;
        ++used;
        using Value = std::remove_reference_t<decltype(member)>;
        try {
            member = py::cast<Value>(dict[name]);
        } catch (const py::cast_error&) {
            throw py::type_error(std::string(name) + ": unusable value " +
                                 py::cast<std::string>(py::repr(dict[name])));
        }
    });
    if (used != dict.size()) {
        throw std::invalid_argument("unknown field for " + std::string(Config::kKind) +
                                    ": " + py::cast<std::string>(py::repr(dict)));
    }
    config.validate();
    return config;
}

// The alternative whose kKind equals dict["kind"].
template <class Variant, std::size_t I = 0>
Variant variant_from_dict(const py::dict& dict) {
    if constexpr (I == std::variant_size_v<Variant>) {
        throw std::invalid_argument("unknown kind: " +
                                    py::cast<std::string>(py::repr(dict["kind"])));
    } else {
        using Config = std::variant_alternative_t<I, Variant>;
        if (py::cast<std::string>(dict["kind"]) == Config::kKind) {
            return config_from_dict<Config>(dict);
        }
        return variant_from_dict<Variant, I + 1>(dict);
    }
}

}  // namespace fastnn::bindings
