// The R-operator through what normalises a row by itself: z = xhat gamma + beta,
// xhat = (x - mean) r, r = 1 / sqrt(variance + eps), along (g, b). With means over the
// columns of the row:
//   R{r}    = -r^2 m,  m = mean(xhat R{x})
//   R{xhat} = r (R{x} - mean(R{x}) - xhat m)
//   R{z}    = R{xhat} gamma + xhat g + b
// Backward dx = r (a - mean(a) - xhat mean(a xhat)), a = dz gamma, so with
// R{a} = R{dz} gamma + dz g
//   R{dx} = r (R{a} - mean(R{a}) - R{xhat} mean(a xhat)
//              - xhat mean(R{a} xhat + a R{xhat})) - r m dx
//   R{dgamma} = sum_rows (R{dz} xhat + dz R{xhat}),  R{dbeta} = sum_rows R{dz}
// Not centered, as RmsNorm is, the means of x, R{x}, a and R{a} are left out.
#pragma once

#include "fastnn/diagnose/r_layer.hpp"
#include "fastnn/kernels/vectors.hpp"

namespace fastnn {

// One row's xhat and R{xhat}.
template <bool centered>
class NormalisedRow {
public:
    NormalisedRow(const RRows& at, Index i)
        : x_(at.x.row(i)),
          rx_(at.inputs_move() ? at.rx.row(i) : nullptr),
          n_(at.x.cols),
          inv_std_(at.memory.inv_std[at.rows.begin + i]) {
        if constexpr (centered) mean_x_ = at.memory.mean[at.rows.begin + i];
        if (!rx_) return;
        mean_rx_ = center([&](Index j) { return rx_[j]; });
        stretch_ = mean([&](Index j) { return xhat(j) * rx_[j]; });
    }
    double inv_std() const { return inv_std_; }
    double stretch() const { return stretch_; }  // m
    double xhat(Index j) const { return (x_[j] - mean_x_) * inv_std_; }
    double r_xhat(Index j) const {
        return rx_ ? inv_std_ * (rx_[j] - mean_rx_ - xhat(j) * stretch_) : 0.0;
    }
    template <class Term>
    double mean(const Term& term) const {
        return sum_in_double(n_, term) / static_cast<double>(n_);
    }
    // What centering takes away.
    template <class Term>
    double center(const Term& term) const {
        return centered ? mean(term) : 0.0;
    }

private:
    const double* x_;
    const double* rx_;
    Index n_;
    double inv_std_;
    double mean_x_ = 0;
    double mean_rx_ = 0;
    double stretch_ = 0;
};

template <bool centered>
void row_norm_r_forward(const RRows& at,
                        const double* gamma,  // (cols)
                        const double* g,      // (cols)
                        const double* b,      // (cols), or null
                        MatrixView<double> rz) {
    for (Index i = 0; i < rz.rows; ++i) {
        const NormalisedRow<centered> row(at, i);
        double* to = rz.row(i);
        for (Index j = 0; j < rz.cols; ++j) {
            to[j] = row.r_xhat(j) * gamma[j] + row.xhat(j) * g[j] + (b ? b[j] : 0.0);
        }
    }
}

template <bool centered>
void row_norm_r_backward(const RRows& at,
                         const double* gamma,  // (cols)
                         const double* g,      // (cols)
                         MatrixView<double> rdx) {
    for (Index i = 0; i < rdx.rows; ++i) {
        const NormalisedRow<centered> row(at, i);
        const double* rdz = at.rdz.row(i);
        const double* dz = at.has_slope() ? at.dz.row(i) : nullptr;
        const auto a = [&](Index j) { return dz ? dz[j] * gamma[j] : 0.0; };
        const auto ra = [&](Index j) {
            return rdz[j] * gamma[j] + (dz ? dz[j] * g[j] : 0.0);
        };
        const double center_a = row.center(a), center_ra = row.center(ra);
        const double along = row.mean([&](Index j) { return a(j) * row.xhat(j); });
        const double r_along = row.mean(
            [&](Index j) { return ra(j) * row.xhat(j) + a(j) * row.r_xhat(j); });
        double* to = rdx.row(i);
        for (Index j = 0; j < rdx.cols; ++j) {
            const double da = a(j) - center_a - row.xhat(j) * along;  // dx / r
            const double rda =
                ra(j) - center_ra - row.r_xhat(j) * along - row.xhat(j) * r_along;
            to[j] = row.inv_std() * (rda - row.inv_std() * row.stretch() * da);
        }
    }
}

template <bool centered>
void row_norm_r_gradient(const RRows& at,
                         double* dgamma,   // (cols), added to
                         double* dbeta) {  // (cols), added to, or null
    for (Index i = 0; i < at.x.rows; ++i) {
        const NormalisedRow<centered> row(at, i);
        const double* rdz = at.rdz.row(i);
        for (Index j = 0; j < at.x.cols; ++j) dgamma[j] += rdz[j] * row.xhat(j);
        if (dbeta) {
            for (Index j = 0; j < at.x.cols; ++j) dbeta[j] += rdz[j];
        }
        if (!at.has_slope()) continue;
        const double* dz = at.dz.row(i);
        for (Index j = 0; j < at.x.cols; ++j) dgamma[j] += dz[j] * row.r_xhat(j);
    }
}

}  // namespace fastnn
