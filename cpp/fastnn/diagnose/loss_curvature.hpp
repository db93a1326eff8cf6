// The curvature of losses: products of a row's Hessian with respect to its outputs.
//
// Losses of separate outputs have a diagonal one; softmax couples all outputs of a row,
// and GaussianNll a mean with its variance. At corners, such as that of |z - y| at 0,
// it is 0, as on either side.
#pragma once

#include "fastnn/nn/loss.hpp"

namespace fastnn {

// R{dz} = w_i / total_weight * H_i rz for each row i, H_i = d^2 l_i / dz_i^2: what
// loss_rows' dz changes by as z moves along rz. Rows, targets and weights correspond. A
// label that is no class makes its row NaN. Not for a custom loss.
void loss_r_rows(const Loss& loss,
                 MatrixView<const double> z,        // (rows, outputs)
                 const Targets<double>& targets,    // (rows) or (rows, outputs)
                 VectorView<const double> weights,  // (rows), or empty
                 double total_weight,
                 MatrixView<const double> rz,       // (rows, outputs)
                 MatrixView<double> rdz) noexcept;  // (rows, outputs)

}  // namespace fastnn
