#include "fastnn/diagnose/r_prelu.hpp"

namespace fastnn {
namespace {

// One slope for all columns, or one for each.
double of_column(VectorView<const double> a, Index j) {
    return a.size == 1 ? a[0] : a[j];
}

}  // namespace

void r_forward(const Prelu<double>& layer, const RRows& at, MatrixView<double> ry) {
    const VectorView<const double> a = layer.slopes(at.state);
    const VectorView<const double> c = layer.slopes(at.direction);
    for (Index i = 0; i < ry.rows; ++i) {
        const double* x = at.x.row(i);
        const double* rx = at.inputs_move() ? at.rx.row(i) : nullptr;
        for (Index j = 0; j < ry.cols; ++j) {
            const double moved = rx ? rx[j] : 0.0;
            ry(i, j) =
                x[j] > 0 ? moved : of_column(a, j) * moved + of_column(c, j) * x[j];
        }
    }
}

void r_backward(const Prelu<double>& layer, const RRows& at, MatrixView<double> rdx) {
    const VectorView<const double> a = layer.slopes(at.state);
    const VectorView<const double> c = layer.slopes(at.direction);
    for (Index i = 0; i < rdx.rows; ++i) {
        const double *x = at.x.row(i), *rdy = at.rdz.row(i);
        const double* dy = at.has_slope() ? at.dz.row(i) : nullptr;
        for (Index j = 0; j < rdx.cols; ++j) {
            const double bent = dy ? of_column(c, j) * dy[j] : 0.0;
            rdx(i, j) = x[j] > 0 ? rdy[j] : of_column(a, j) * rdy[j] + bent;
        }
    }
}

void r_gradient(const Prelu<double>&,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    const VectorView<double> da{out + tile.weight.begin, tile.weight.size()};
    for (Index i = 0; i < at.x.rows; ++i) {
        const double *x = at.x.row(i), *rdy = at.rdz.row(i);
        const bool bends = at.has_slope() && at.inputs_move();
        for (Index j = 0; j < at.x.cols; ++j) {
            if (x[j] > 0) continue;
            const double bent = bends ? at.rx(i, j) * at.dz(i, j) : 0.0;
            da[da.size == 1 ? 0 : j] += x[j] * rdy[j] + bent;
        }
    }
}

}  // namespace fastnn
