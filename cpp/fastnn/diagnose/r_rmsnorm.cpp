#include "fastnn/diagnose/r_rmsnorm.hpp"

#include "fastnn/diagnose/r_row_norm.hpp"

namespace fastnn {

void r_forward(const RmsNorm<double>& layer, const RRows& at, MatrixView<double> rz) {
    row_norm_r_forward<false>(at, layer.gamma(at.state), layer.gamma(at.direction),
                              nullptr, rz);
}

void r_backward(const RmsNorm<double>& layer, const RRows& at, MatrixView<double> rdx) {
    row_norm_r_backward<false>(at, layer.gamma(at.state), layer.gamma(at.direction),
                               rdx);
}

void r_gradient(const RmsNorm<double>&,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    row_norm_r_gradient<false>(at, out + tile.weight.begin, nullptr);
}

}  // namespace fastnn
