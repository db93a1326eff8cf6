#include "fastnn/diagnose/r_dense.hpp"

#include "fastnn/kernels/reduce.hpp"

namespace fastnn {

void r_forward(const Dense<double>& layer, const RRows& at, MatrixView<double> rz) {
    affine_forward<double>(at.x, layer.packed(at.direction), layer.biases(at.direction),
                           rz);
    if (at.inputs_move()) affine_forward_add<double>(at.rx, layer.packed(at.state), rz);
}

void r_backward(const Dense<double>& layer, const RRows& at, MatrixView<double> rdx) {
    affine_backward_input<double>(at.rdz, layer.weights(at.state), rdx);
    if (at.has_slope()) {
        affine_backward_input_add<double>(at.dz, layer.weights(at.direction), rdx);
    }
}

void r_gradient(const Dense<double>&,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    const MatrixView<const double> rdz = at.rdz.col_slice(tile.units);
    const MatrixView<double> dw{out + tile.weight.begin, tile.units.size(), at.x.cols};
    affine_backward_weights_add<double>(rdz, at.x, dw);
    if (at.has_slope() && at.inputs_move()) {
        affine_backward_weights_add<double>(at.dz.col_slice(tile.units), at.rx, dw);
    }
    if (tile.bias.size() > 0) add_column_sums(rdz, out + tile.bias.begin);
}

}  // namespace fastnn
