// Every layer a network can have. The variant is the registry: a new layer is a class
// with the same members and its name here.
#pragma once

#include <variant>

#include "fastnn/nn/add.hpp"
#include "fastnn/nn/batchnorm.hpp"
#include "fastnn/nn/dense.hpp"
#include "fastnn/nn/elementwise.hpp"
#include "fastnn/nn/layernorm.hpp"
#include "fastnn/nn/maxout.hpp"
#include "fastnn/nn/noise.hpp"
#include "fastnn/nn/prelu.hpp"
#include "fastnn/nn/rmsnorm.hpp"

namespace fastnn {

template <class T>
using Layer = std::variant<Dense<T>,
                           LargestPiece<T>,
                           BatchNorm<T>,
                           LayerNorm<T>,
                           RmsNorm<T>,
                           Prelu<T>,
                           ActivationLayer<T>,
                           Dropout<T>,
                           AlphaDropout<T>,
                           GaussianNoise<T>,
                           Add<T>>;

// Whether a training pass through it depends on chance.
template <class T>
bool is_random(const Layer<T>& layer) {
    return std::visit(
        [](const auto& l) {
            if constexpr (requires { l.is_random(); }) return l.is_random();
            return false;
        },
        layer);
}

// Whether it does nothing in inference.
template <class T>
bool is_noise(const Layer<T>& layer) {
    return std::visit([]<class L>(const L&) { return std::is_base_of_v<Noise<T>, L>; },
                      layer);
}

}  // namespace fastnn
