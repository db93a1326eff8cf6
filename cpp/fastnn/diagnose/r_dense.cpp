#include "fastnn/diagnose/r_dense.hpp"

#include "fastnn/diagnose/r_weight_norm.hpp"
#include "fastnn/kernels/reduce.hpp"

namespace fastnn {

void r_pack(const Dense<double>& layer,
            const double* w,
            const double* v,
            const ParameterTile& tile,
            double* panels) {
    MatrixView<const double> direction = layer.parameter(v);
    if (layer.has_weight_norm()) {
        const MatrixView<double> turned{panels + layer.normalised().begin,
                                        direction.rows, direction.cols};
        const Range units = tile.units;
        weight_norm_r_forward(layer.parameter(w).row_slice(units),
                              layer.gains(w).slice(units), direction.row_slice(units),
                              layer.gains(v).slice(units), turned.row_slice(units));
        direction = turned;
    }
    pack_weights<double>(direction, tile.units, panels + layer.panels().begin);
}

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

namespace {

// dw += R{dL/dW} of some units
void add_r_slope(const RRows& at, Range units, MatrixView<double> dw) {
    affine_backward_weights_add<double>(at.rdz.col_slice(units), at.x, dw);
    if (at.has_slope() && at.inputs_move()) {
        affine_backward_weights_add<double>(at.dz.col_slice(units), at.rx, dw);
    }
}

// Through W's normalisation, whose curvature dL/dW meets as well.
void add_normalised(const Dense<double>& layer,
                    const RRows& at,
                    const ParameterTile& tile,
                    double* out) {
    const Range units = tile.units;
    const Index in = at.x.cols;
    Buffer<double> slope(tile.weight.size()), r_slope(tile.weight.size());
    const MatrixView<double> rdw{r_slope.data(), units.size(), in};
    add_r_slope(at, units, rdw);
    MatrixView<double> dw;
    if (at.has_slope()) {
        dw = {slope.data(), units.size(), in};
        affine_backward_weights<double>(at.dz.col_slice(units), at.x, dw);
    }
    const double *w = at.state.parameters, *v = at.direction.parameters;
    weight_norm_r_backward(
        layer.parameter(w).row_slice(units), layer.gains(w).slice(units),
        layer.parameter(v).row_slice(units), layer.gains(v).slice(units), dw, rdw,
        {out + tile.weight.begin, units.size(), in},
        {out + tile.gain.begin, units.size()});
}

}  // namespace

void r_gradient(const Dense<double>& layer,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    if (layer.has_weight_norm()) {
        add_normalised(layer, at, tile, out);
    } else {
        const Range units = tile.units;
        add_r_slope(at, units, {out + tile.weight.begin, units.size(), at.x.cols});
    }
    if (tile.bias.size() > 0) {
        add_column_sums(at.rdz.col_slice(tile.units), out + tile.bias.begin);
    }
}

}  // namespace fastnn
