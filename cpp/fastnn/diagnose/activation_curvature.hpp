// f'' of every activation function, for the R-operator.
#pragma once

#include "fastnn/kernels/activation.hpp"

namespace fastnn {

// Where f is activated, R{dL/dz} follows from R{dL/dy} and dL/dy:
//   rdz = rdy f'(s) + dy f''(s) rz
// with s the output y or, where slope_needs_input, the input z. At corners, such as
// ReLU's at 0, f'' is 0. rdz may be rdy.
void activation_r_backward(const Activation& f,
                           VectorView<const double> s,
                           VectorView<const double> rz,
                           VectorView<const double> dy,
                           VectorView<const double> rdy,
                           VectorView<double> rdz) noexcept;

// ry = f'(s) rz; ry may be rz
inline void activation_r_forward(const Activation& f,
                                 VectorView<const double> s,
                                 VectorView<const double> rz,
                                 VectorView<double> ry) noexcept {
    activation_backward<double>(f, rz, s, ry);
}

}  // namespace fastnn
