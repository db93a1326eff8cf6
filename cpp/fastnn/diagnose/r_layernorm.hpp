// The R-operator through layer normalisation: z = xhat gamma + beta,
// xhat = (x - mean) r, r = 1 / sqrt(variance + eps), along (g, b). With means over the
// columns of a row:
//   R{r}    = -r^2 m,  m = mean(xhat R{x})
//   R{xhat} = r (R{x} - mean(R{x}) - xhat m)
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/layernorm.hpp"

namespace fastnn {

// R{z} = R{xhat} gamma + xhat g + b
void r_forward(const LayerNorm<double>& layer, const RRows& at, MatrixView<double> rz);

// dx = r (a - mean(a) - xhat mean(a xhat)), a = dz gamma, so with
// R{a} = R{dz} gamma + dz g
//   R{dx} = r (R{a} - mean(R{a}) - R{xhat} mean(a xhat)
//              - xhat mean(R{a} xhat + a R{xhat})) - r m dx
void r_backward(const LayerNorm<double>& layer,
                const RRows& at,
                MatrixView<double> rdx);

// R{dgamma} = sum_rows (R{dz} xhat + dz R{xhat}),  R{dbeta} = sum_rows R{dz}
void r_gradient(const LayerNorm<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out);

}  // namespace fastnn
