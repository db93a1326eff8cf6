// Layers as the user writes them: plain descriptions, read from Python by their fields.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/kernels/activation.hpp"

namespace fastnn {

namespace spec {

struct Dense {
    static constexpr const char* kKind = "dense";
    Index units = 1;
    std::optional<Activation> activation;
    bool use_bias = true;
    std::string init = "auto";  // see init.hpp
    std::optional<Index> in_features;
    double lr_scale = 1.0;  // multiplies the learning rate of this layer
    static constexpr auto fields() {
        return std::tuple{field("units", &Dense::units),
                          field("activation", &Dense::activation),
                          field("use_bias", &Dense::use_bias),
                          field("init", &Dense::init),
                          field("in_features", &Dense::in_features),
                          field("lr_scale", &Dense::lr_scale)};
    }
    void validate() const;
};

struct BatchNorm {
    static constexpr const char* kKind = "batchnorm";
    double eps = 1e-5;
    double momentum = 0.1;  // running = (1 - momentum) running + momentum batch
    double lr_scale = 1.0;
    static constexpr auto fields() {
        return std::tuple{field("eps", &BatchNorm::eps),
                          field("momentum", &BatchNorm::momentum),
                          field("lr_scale", &BatchNorm::lr_scale)};
    }
    void validate() const {
        require_positive("eps", eps);
        require_not_negative("lr_scale", lr_scale);
        require(momentum >= 0 && momentum <= 1, "momentum", momentum, "in [0, 1]");
    }
};

struct LayerNorm {
    static constexpr const char* kKind = "layernorm";
    double eps = 1e-5;
    double lr_scale = 1.0;
    static constexpr auto fields() {
        return std::tuple{field("eps", &LayerNorm::eps),
                          field("lr_scale", &LayerNorm::lr_scale)};
    }
    void validate() const {
        require_positive("eps", eps);
        require_not_negative("lr_scale", lr_scale);
    }
};

struct Dropout {
    static constexpr const char* kKind = "dropout";
    double p = 0.5;  // the probability of dropping an element
    static constexpr auto fields() { return std::tuple{field("p", &Dropout::p)}; }
    void validate() const { require_below_one("p", p); }
};

}  // namespace spec

using LayerSpec = std::
    variant<spec::Dense, spec::BatchNorm, spec::LayerNorm, spec::Dropout, Activation>;

}  // namespace fastnn
