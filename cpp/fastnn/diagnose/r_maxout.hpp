// The R-operator through the second half of Maxout, which picks the largest piece: that
// piece's R{x} is R{y}, and takes R{dy}.
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/maxout.hpp"

namespace fastnn {

void r_forward(const LargestPiece<double>& layer,
               const RRows& at,
               MatrixView<double> ry);
void r_backward(const LargestPiece<double>& layer,
                const RRows& at,
                MatrixView<double> rdx);

}  // namespace fastnn
