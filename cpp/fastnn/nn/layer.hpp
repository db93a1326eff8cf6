// Every layer a network can have. The variant is the registry: a new layer is a class
// with the same members and its name here.
#pragma once

#include <variant>

#include "fastnn/nn/add.hpp"
#include "fastnn/nn/batchnorm.hpp"
#include "fastnn/nn/dense.hpp"
#include "fastnn/nn/elementwise.hpp"
#include "fastnn/nn/layernorm.hpp"

namespace fastnn {

template <class T>
using Layer = std::variant<Dense<T>,
                           BatchNorm<T>,
                           LayerNorm<T>,
                           ActivationLayer<T>,
                           Dropout<T>,
                           Add<T>>;

}  // namespace fastnn
