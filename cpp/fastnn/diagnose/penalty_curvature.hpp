// The curvature of penalties on weights.
#pragma once

#include "fastnn/nn/regularizer.hpp"

namespace fastnn {

// out += R{derivative of penalty_value} for one slice, at w along v: l2 v where weights
// are parameters. With weight normalisation, penalty l1 |g| t + l2/2 g^2 of each row,
// t = sum |v_j| / |v|, l1 bends too.
void add_penalty_r_gradient(const Penalty& penalty,
                            const double* w,  // all parameters
                            const double* v,  // in their layout
                            const ParameterTile& tile,
                            double* out) noexcept;  // in their layout

}  // namespace fastnn
