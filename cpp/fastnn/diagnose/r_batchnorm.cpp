#include "fastnn/diagnose/r_batchnorm.hpp"

namespace fastnn {

void r_forward(const BatchNorm<double>& layer, const RRows& at, MatrixView<double> rz) {
    const double *mean = at.memory.mean.data(), *inv_std = at.memory.inv_std.data();
    const double* gamma = layer.gamma(at.state);
    const double *g = layer.gamma(at.direction), *b = layer.beta(at.direction);
    for (Index i = 0; i < rz.rows; ++i) {
        const double* x = at.x.row(i);
        double* to = rz.row(i);
        for (Index j = 0; j < rz.cols; ++j) {
            to[j] = (x[j] - mean[j]) * inv_std[j] * g[j] + b[j];
        }
        if (!at.inputs_move()) continue;
        const double* rx = at.rx.row(i);
        for (Index j = 0; j < rz.cols; ++j) to[j] += rx[j] * inv_std[j] * gamma[j];
    }
}

void r_backward(const BatchNorm<double>& layer,
                const RRows& at,
                MatrixView<double> rdx) {
    const double* inv_std = at.memory.inv_std.data();
    const double *gamma = layer.gamma(at.state), *g = layer.gamma(at.direction);
    for (Index i = 0; i < rdx.rows; ++i) {
        const double* rdz = at.rdz.row(i);
        double* to = rdx.row(i);
        for (Index j = 0; j < rdx.cols; ++j) to[j] = inv_std[j] * rdz[j] * gamma[j];
        if (!at.has_slope()) continue;
        const double* dz = at.dz.row(i);
        for (Index j = 0; j < rdx.cols; ++j) to[j] += inv_std[j] * dz[j] * g[j];
    }
}

void r_gradient(const BatchNorm<double>&,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    const double *mean = at.memory.mean.data(), *inv_std = at.memory.inv_std.data();
    double *dgamma = out + tile.weight.begin, *dbeta = out + tile.bias.begin;
    for (Index i = 0; i < at.x.rows; ++i) {
        const double *x = at.x.row(i), *rdz = at.rdz.row(i);
        for (Index j = 0; j < at.x.cols; ++j) {
            dgamma[j] += rdz[j] * (x[j] - mean[j]) * inv_std[j];
            dbeta[j] += rdz[j];
        }
        if (!at.has_slope() || !at.inputs_move()) continue;
        const double *dz = at.dz.row(i), *rx = at.rx.row(i);
        for (Index j = 0; j < at.x.cols; ++j) dgamma[j] += dz[j] * rx[j] * inv_std[j];
    }
}

}  // namespace fastnn
