// The R-operator through layer normalisation: formulas in r_row_norm.hpp.
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/layernorm.hpp"

namespace fastnn {

void r_forward(const LayerNorm<double>& layer, const RRows& at, MatrixView<double> rz);
void r_backward(const LayerNorm<double>& layer,
                const RRows& at,
                MatrixView<double> rdx);
void r_gradient(const LayerNorm<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out);

}  // namespace fastnn
