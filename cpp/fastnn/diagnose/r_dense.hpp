// The R-operator through a dense layer, z = x W^T + 1 b^T, along (V, c). With weight
// normalisation W is made of other parameters, and V is R{W}.
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/dense.hpp"

namespace fastnn {

// Packs V for one slice, from all parameters w and the direction v in their layout.
void r_pack(const Dense<double>& layer,
            const double* w,
            const double* v,
            const ParameterTile& tile,
            double* panels);

// R{z} = R{x} W^T + x V^T + 1 c^T
void r_forward(const Dense<double>& layer, const RRows& at, MatrixView<double> rz);

// R{dx} = R{dz} W + dz V
void r_backward(const Dense<double>& layer, const RRows& at, MatrixView<double> rdx);

// R{dW} = R{dz}^T x + dz^T R{x},  R{db} = R{dz}^T 1
void r_gradient(const Dense<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out);

}  // namespace fastnn
