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
    double lr_scale = 1.0;     // multiplies the learning rate of this layer
    double dropconnect = 0.0;  // the probability of dropping a weight
    bool weight_norm = false;
    static constexpr auto fields() {
        return std::tuple{field("units", &Dense::units),
                          field("activation", &Dense::activation),
                          field("use_bias", &Dense::use_bias),
                          field("init", &Dense::init),
                          field("in_features", &Dense::in_features),
                          field("lr_scale", &Dense::lr_scale),
                          field("dropconnect", &Dense::dropconnect),
                          field("weight_norm", &Dense::weight_norm)};
    }
    void validate() const;
};

// The largest of `pieces` affine maps for each unit.
struct Maxout {
    static constexpr const char* kKind = "maxout";
    Index units = 1;
    Index pieces = 2;
    std::string init = "auto";  // see init.hpp
    std::optional<Index> in_features;
    double lr_scale = 1.0;
    static constexpr auto fields() {
        return std::tuple{
            field("units", &Maxout::units), field("pieces", &Maxout::pieces),
            field("init", &Maxout::init), field("in_features", &Maxout::in_features),
            field("lr_scale", &Maxout::lr_scale)};
    }
    void validate() const;
    // Of all pieces together.
    Index rows() const;
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

struct RmsNorm {
    static constexpr const char* kKind = "rmsnorm";
    std::optional<double> eps;  // by default that of the network's numbers
    double lr_scale = 1.0;
    static constexpr auto fields() {
        return std::tuple{field("eps", &RmsNorm::eps),
                          field("lr_scale", &RmsNorm::lr_scale)};
    }
    void validate() const {
        if (eps) require_positive("eps", *eps);
        require_not_negative("lr_scale", lr_scale);
    }
};

struct Prelu {
    static constexpr const char* kKind = "prelu";
    double init = 0.25;     // the first slope
    bool per_unit = false;  // a slope for each unit, or one for all
    double lr_scale = 1.0;
    static constexpr auto fields() {
        return std::tuple{field("init", &Prelu::init),
                          field("per_unit", &Prelu::per_unit),
                          field("lr_scale", &Prelu::lr_scale)};
    }
    void validate() const {
        require_finite("init", init);
        require_not_negative("lr_scale", lr_scale);
    }
};

struct Dropout {
    static constexpr const char* kKind = "dropout";
    double p = 0.5;  // the probability of dropping an element
    static constexpr auto fields() { return std::tuple{field("p", &Dropout::p)}; }
    void validate() const { require_below_one("p", p); }
};

struct AlphaDropout {
    static constexpr const char* kKind = "alpha_dropout";
    double p = 0.5;  // the probability of dropping an element
    static constexpr auto fields() { return std::tuple{field("p", &AlphaDropout::p)}; }
    void validate() const { require_below_one("p", p); }
};

struct GaussianNoise {
    static constexpr const char* kKind = "gaussian_noise";
    double deviation = 0.0;
    static constexpr auto fields() {
        return std::tuple{field("std", &GaussianNoise::deviation)};
    }
    void validate() const { require_not_negative("std", deviation); }
};

struct Residual;

}  // namespace spec

using LayerSpec = std::variant<spec::Dense,
                               spec::Maxout,
                               spec::BatchNorm,
                               spec::LayerNorm,
                               spec::RmsNorm,
                               spec::Prelu,
                               spec::Dropout,
                               spec::AlphaDropout,
                               spec::GaussianNoise,
                               spec::Residual,
                               Activation>;

// y = skip(x) + F(x)
struct spec::Residual {
    static constexpr const char* kKind = "residual";
    static constexpr int kDeepest = 8;  // blocks within blocks
    std::vector<LayerSpec> layers;      // F
    double survival = 1.0;              // the probability that a row keeps F
    std::optional<bool> projection;     // none: where F changes the width
    double lr_scale = 1.0;              // of the projection
    static constexpr auto fields() {
        return std::tuple{field("layers", &Residual::layers),
                          field("survival", &Residual::survival),
                          field("projection", &Residual::projection),
                          field("lr_scale", &Residual::lr_scale)};
    }
    int depth() const;  // of blocks, this one counted
    void validate() const;
};

}  // namespace fastnn
