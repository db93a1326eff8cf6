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
    static constexpr auto fields() {
        return std::tuple{field("eps", &BatchNorm::eps),
                          field("momentum", &BatchNorm::momentum)};
    }
    void validate() const {
        require_positive("eps", eps);
        require(momentum >= 0 && momentum <= 1, "momentum", momentum, "in [0, 1]");
    }
};

struct LayerNorm {
    static constexpr const char* kKind = "layernorm";
    double eps = 1e-5;
    static constexpr auto fields() { return std::tuple{field("eps", &LayerNorm::eps)}; }
    void validate() const { require_positive("eps", eps); }
};

struct Dropout {
    static constexpr const char* kKind = "dropout";
    double p = 0.5;  // the probability of dropping an element
    static constexpr auto fields() { return std::tuple{field("p", &Dropout::p)}; }
    void validate() const { require_below_one("p", p); }
};

struct Residual;

}  // namespace spec

using LayerSpec = std::variant<spec::Dense,
                               spec::BatchNorm,
                               spec::LayerNorm,
                               spec::Dropout,
                               spec::Residual,
                               Activation>;

// y = skip(x) + F(x)
struct spec::Residual {
    static constexpr const char* kKind = "residual";
    static constexpr int kDeepest = 8;  // blocks within blocks
    std::vector<LayerSpec> layers;      // F
    double survival = 1.0;              // the probability that a row keeps F
    std::optional<bool> projection;     // none: where F changes the width
    static constexpr auto fields() {
        return std::tuple{field("layers", &Residual::layers),
                          field("survival", &Residual::survival),
                          field("projection", &Residual::projection)};
    }
    int depth() const;  // of blocks, this one counted
    void validate() const;
};

}  // namespace fastnn
