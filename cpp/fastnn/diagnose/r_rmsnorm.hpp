// The R-operator through root-mean-square normalisation: formulas in r_row_norm.hpp.
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/rmsnorm.hpp"

namespace fastnn {

void r_forward(const RmsNorm<double>& layer, const RRows& at, MatrixView<double> rz);
void r_backward(const RmsNorm<double>& layer, const RRows& at, MatrixView<double> rdx);
void r_gradient(const RmsNorm<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out);

}  // namespace fastnn
