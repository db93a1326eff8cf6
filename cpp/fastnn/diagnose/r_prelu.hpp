// The R-operator through PReLU, y = x where x > 0 and a x elsewhere, along c: R{a}. At
// its corner it is taken for the left side, as the slope is.
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/prelu.hpp"

namespace fastnn {

// R{y} = R{x} where x > 0, a R{x} + c x elsewhere
void r_forward(const Prelu<double>& layer, const RRows& at, MatrixView<double> ry);

// R{dx} = R{dy} where x > 0, a R{dy} + c dy elsewhere
void r_backward(const Prelu<double>& layer, const RRows& at, MatrixView<double> rdx);

// R{da} = sum of R{x} dy + x R{dy} where x <= 0
void r_gradient(const Prelu<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out);

}  // namespace fastnn
