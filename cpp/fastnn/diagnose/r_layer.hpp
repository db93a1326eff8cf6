// The R-operator through a layer (Pearlmutter 1994): R{f} = d/dt f(w + t v) at t = 0,
// the derivative of whatever a pass computes as the parameters w move along v. R of the
// gradient is the Hessian times v.
//
// A layer that has parameters or mixes columns comes as three overloads in a file of
// its own, beside which its forward and backward pass run as in training:
//   r_forward(layer, at, rz)          R{z} from R{x}, z what its activation is given
//   r_backward(layer, at, rdx)        R{dL/dx} from R{dL/dz}
//   r_gradient(layer, at, tile, out)  out += R{dL/dw}
#pragma once

#include "fastnn/nn/pass.hpp"

namespace fastnn {

// What a layer keeps of a batch beside its LayerMemory.
struct RMemory {
    Matrix<double> z;     // (batch, width) R{z}
    Matrix<double> out;   // (batch, width) R{f(z)}, unless f is the identity
    Matrix<double> grad;  // (batch, width) R{dL/dout}, turned in place into R{dL/dz}
};

// Some rows of a batch, as a layer's R-operator is given them. Products of
// Gauss-Newton take dL/dz for 0, and with it all curvature of the network.
struct RRows {
    const State<double>& state;      // w
    const State<double>& direction;  // v, in the layout of w
    const LayerMemory<double>& memory;
    Range rows;                    // of the batch
    MatrixView<const double> x;    // (rows, in)
    MatrixView<const double> rx;   // (rows, in), or empty: 0
    MatrixView<const double> dz;   // (rows, width), or empty: 0
    MatrixView<const double> rdz;  // (rows, width)

    bool inputs_move() const noexcept { return rx.data != nullptr; }
    bool has_slope() const noexcept { return dz.data != nullptr; }
};

}  // namespace fastnn
