// Noise that is added to gradients and dies out: "Adding gradient noise improves
// learning for very deep networks" (Neelakantan et al. 2015, arXiv:1511.06807).
#pragma once

#include <cmath>
#include <cstdint>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"

namespace fastnn {

// Of variance eta / (1 + t)^gamma at step t = 0, 1, 2, ...
struct GradientNoise {
    static constexpr const char* kKind = "gradient_noise";
    double eta = 0.01;
    double gamma = 0.55;
    static constexpr auto fields() {
        return std::tuple{field("eta", &GradientNoise::eta),
                          field("gamma", &GradientNoise::gamma)};
    }
    void validate() const {
        require_positive("eta", eta);
        require_not_negative("gamma", gamma);
    }
    double deviation(std::int64_t t) const {
        return std::sqrt(eta / std::pow(1 + static_cast<double>(t), gamma));
    }
};

}  // namespace fastnn
