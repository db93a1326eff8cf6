#include "fastnn/diagnose/r_layernorm.hpp"

#include "fastnn/kernels/vectors.hpp"

namespace fastnn {
namespace {

// One row's xhat and R{xhat}.
class NormalisedRow {
public:
    NormalisedRow(const RRows& at, Index i)
        : x_(at.x.row(i)),
          rx_(at.inputs_move() ? at.rx.row(i) : nullptr),
          n_(at.x.cols),
          center_(at.memory.mean[at.rows.begin + i]),
          inv_std_(at.memory.inv_std[at.rows.begin + i]) {
        if (!rx_) return;
        mean_rx_ = mean([&](Index j) { return rx_[j]; });
        stretch_ = mean([&](Index j) { return xhat(j) * rx_[j]; });
    }
    double inv_std() const { return inv_std_; }
    double stretch() const { return stretch_; }  // m
    double xhat(Index j) const { return (x_[j] - center_) * inv_std_; }
    double r_xhat(Index j) const {
        return rx_ ? inv_std_ * (rx_[j] - mean_rx_ - xhat(j) * stretch_) : 0.0;
    }
    template <class Term>
    double mean(const Term& term) const {
        return sum_in_double(n_, term) / static_cast<double>(n_);
    }

private:
    const double* x_;
    const double* rx_;
    Index n_;
    double center_;
    double inv_std_;
    double mean_rx_ = 0;
    double stretch_ = 0;
};

}  // namespace

void r_forward(const LayerNorm<double>& layer, const RRows& at, MatrixView<double> rz) {
    const double* gamma = layer.gamma(at.state);
    const double *g = layer.gamma(at.direction), *b = layer.beta(at.direction);
    for (Index i = 0; i < rz.rows; ++i) {
        const NormalisedRow row(at, i);
        double* to = rz.row(i);
        for (Index j = 0; j < rz.cols; ++j) {
            to[j] = row.r_xhat(j) * gamma[j] + row.xhat(j) * g[j] + b[j];
        }
    }
}

void r_backward(const LayerNorm<double>& layer,
                const RRows& at,
                MatrixView<double> rdx) {
    const double *gamma = layer.gamma(at.state), *g = layer.gamma(at.direction);
    for (Index i = 0; i < rdx.rows; ++i) {
        const NormalisedRow row(at, i);
        const double* rdz = at.rdz.row(i);
        const double* dz = at.has_slope() ? at.dz.row(i) : nullptr;
        const auto a = [&](Index j) { return dz ? dz[j] * gamma[j] : 0.0; };
        const auto ra = [&](Index j) {
            return rdz[j] * gamma[j] + (dz ? dz[j] * g[j] : 0.0);
        };
        const double mean_a = row.mean(a), mean_ra = row.mean(ra);
        const double along = row.mean([&](Index j) { return a(j) * row.xhat(j); });
        const double r_along = row.mean(
            [&](Index j) { return ra(j) * row.xhat(j) + a(j) * row.r_xhat(j); });
        double* to = rdx.row(i);
        for (Index j = 0; j < rdx.cols; ++j) {
            const double da = a(j) - mean_a - row.xhat(j) * along;  // dx / r
            const double rda =
                ra(j) - mean_ra - row.r_xhat(j) * along - row.xhat(j) * r_along;
            to[j] = row.inv_std() * (rda - row.inv_std() * row.stretch() * da);
        }
    }
}

void r_gradient(const LayerNorm<double>&,
                const RRows& at,
                const ParameterTile& tile,
                double* out) {
    double *dgamma = out + tile.weight.begin, *dbeta = out + tile.bias.begin;
    for (Index i = 0; i < at.x.rows; ++i) {
        const NormalisedRow row(at, i);
        const double* rdz = at.rdz.row(i);
        for (Index j = 0; j < at.x.cols; ++j) {
            dgamma[j] += rdz[j] * row.xhat(j);
            dbeta[j] += rdz[j];
        }
        if (!at.has_slope()) continue;
        const double* dz = at.dz.row(i);
        for (Index j = 0; j < at.x.cols; ++j) dgamma[j] += dz[j] * row.r_xhat(j);
    }
}

}  // namespace fastnn
