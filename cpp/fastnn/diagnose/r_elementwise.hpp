// The R-operator through layers that leave everything to their activation, or are noise
// in training and nothing outside of it: z = x.
#pragma once

#include <algorithm>

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/nn/noise.hpp"

namespace fastnn {

template <class L>
concept PassesOn =
    std::is_same_v<L, ActivationLayer<double>> || std::is_base_of_v<Noise<double>, L>;

template <PassesOn L>
void r_forward(const L&, const RRows& at, MatrixView<double> rz) {
    if (at.inputs_move()) return copy_rows<double>(at.rx, rz);
    for (Index i = 0; i < rz.rows; ++i) std::fill_n(rz.row(i), rz.cols, 0.0);
}

template <PassesOn L>
void r_backward(const L&, const RRows& at, MatrixView<double> rdx) {
    copy_rows<double>(at.rdz, rdx);
}

// Whatever has no parameters.
template <class L>
    requires std::is_base_of_v<Elementwise<double>, L>
void r_gradient(const L&, const RRows&, const ParameterTile&, double*) {}

}  // namespace fastnn
