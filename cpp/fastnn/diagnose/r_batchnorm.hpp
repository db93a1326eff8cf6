// The R-operator through batch normalisation by its running statistics, which are
// constants: z = xhat gamma + beta, xhat = (x - mean) inv_std, along (g, b).
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/batchnorm.hpp"

namespace fastnn {

// R{z} = R{x} inv_std gamma + xhat g + b
void r_forward(const BatchNorm<double>& layer, const RRows& at, MatrixView<double> rz);

// R{dx} = inv_std (R{dz} gamma + dz g)
void r_backward(const BatchNorm<double>& layer,
                const RRows& at,
                MatrixView<double> rdx);

// R{dgamma} = sum_rows (R{dz} xhat + dz R{x} inv_std),  R{dbeta} = sum_rows R{dz}
void r_gradient(const BatchNorm<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out);

}  // namespace fastnn
