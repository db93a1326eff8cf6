#include "fastnn/diagnose/r_layernorm.hpp"

#include "fastnn/diagnose/r_row_norm.hpp"

namespace fastnn {

void r_forward(const LayerNorm<double>& layer, const RRows& at, MatrixView<double> rz) {
    row_norm_r_forward<true>(at, layer.gamma(at.state), layer.gamma(at.direction),
                             layer.beta(at.direction), rz);
}

void r_backward(const LayerNorm<double>& layer,
                const RRows& at,
                MatrixView<double> rdx) {
    row_norm_r_backward<true>(at, layer.gamma(at.state), layer.gamma(at.direction),
                              rdx);
}

void r_gradient(const LayerNorm<double>&,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    row_norm_r_gradient<true>(at, out + tile.weight.begin, out + tile.bias.begin);
}

}  // namespace fastnn
