#include "fastnn/diagnose/r_weight_norm.hpp"

#include <cmath>

#include "fastnn/kernels/vectors.hpp"

namespace fastnn {
namespace {

// One row's direction and how it turns; zeros for a row of zeros.
class Turning {
public:
    Turning(const double* v, const double* rv, Index n) : v_(v), rv_(rv), n_(n) {
        const double length =
            std::sqrt(sum_in_double(n, [&](Index j) { return v[j] * v[j]; }));
        inverse_ = length > 0 ? 1 / length : 0.0;
        growth_ = sum_in_double(n, [&](Index j) { return u(j) * rv[j]; });
    }
    double inverse() const { return inverse_; }  // 1 / s
    double r_inverse() const {                   // R{1 / s}
        return -growth_ * inverse_ * inverse_;
    }
    double u(Index j) const { return v_[j] * inverse_; }
    double r_u(Index j) const { return (rv_[j] - u(j) * growth_) * inverse_; }
    template <class Term>
    double sum(const Term& term) const {
        return sum_in_double(n_, term);
    }

private:
    const double* v_;
    const double* rv_;
    Index n_;
    double inverse_;
    double growth_;  // R{s}
};

}  // namespace

void weight_norm_r_forward(MatrixView<const double> v,
                           VectorView<const double> g,
                           MatrixView<const double> rv,
                           VectorView<const double> rg,
                           MatrixView<double> rw) {
    for (Index i = 0; i < v.rows; ++i) {
        const Turning row(v.row(i), rv.row(i), v.cols);
        for (Index j = 0; j < v.cols; ++j) {
            rw(i, j) = rg[i] * row.u(j) + g[i] * row.r_u(j);
        }
    }
}

void weight_norm_r_backward(MatrixView<const double> v,
                            VectorView<const double> g,
                            MatrixView<const double> rv,
                            VectorView<const double> rg,
                            MatrixView<const double> dw,
                            MatrixView<const double> rdw,
                            MatrixView<double> rdv,
                            VectorView<double> rdg) {
    for (Index i = 0; i < v.rows; ++i) {
        const Turning row(v.row(i), rv.row(i), v.cols);
        const auto d = [&](Index j) { return dw.data ? dw(i, j) : 0.0; };
        const double dg = row.sum([&](Index j) { return d(j) * row.u(j); });
        const double r_dg =
            row.sum([&](Index j) { return rdw(i, j) * row.u(j) + d(j) * row.r_u(j); });
        const double factor = g[i] * row.inverse();
        const double r_factor = rg[i] * row.inverse() + g[i] * row.r_inverse();
        for (Index j = 0; j < v.cols; ++j) {
            const double e = d(j) - dg * row.u(j);
            const double r_e = rdw(i, j) - r_dg * row.u(j) - dg * row.r_u(j);
            rdv(i, j) += r_factor * e + factor * r_e;
        }
        rdg[i] += r_dg;
    }
}

}  // namespace fastnn
