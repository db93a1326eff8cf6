#include "fastnn/diagnose/penalty_curvature.hpp"

#include <cmath>

#include "fastnn/kernels/vectors.hpp"

namespace fastnn {
namespace {

double sign_of(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; }

// Of l1 |g| t for one row: with u = v / s, s = |v|, e = sign(v) - t u
//   R{t}  = e . rv / s,  R{e} = -R{t} u - t R{u},  R{u} = (rv - u R{s}) / s
//   R{dg} = l1 sign(g) R{t}
//   R{dv} = l1 (R{|g| / s} e + |g| / s R{e})
void add_l1_of_normalised(double l1,
                          double g,
                          double rg,
                          VectorView<const double> v,
                          const double* rv,
                          double& rdg,
                          double* rdv) {
    const double s = std::sqrt(dot<double>(v, v));
    if (s == 0) return;
    const double t = sum_of_absolutes<double>(v) / s;
    const auto u = [&](Index j) { return v[j] / s; };
    const auto e = [&](Index j) { return sign_of(v[j]) - t * u(j); };
    const double rs = sum_in_double(v.size, [&](Index j) { return u(j) * rv[j]; });
    const double rt = sum_in_double(v.size, [&](Index j) { return e(j) * rv[j]; }) / s;
    const double size = std::abs(g) / s;
    const double r_size = sign_of(g) * rg / s - size * rs / s;
    rdg += l1 * sign_of(g) * rt;
    for (Index j = 0; j < v.size; ++j) {
        const double re = -rt * u(j) - t * (rv[j] - u(j) * rs) / s;
        rdv[j] += l1 * (r_size * e(j) + size * re);
    }
}

}  // namespace

void add_penalty_r_gradient(const Penalty& penalty,
                            const double* w,
                            const double* v,
                            const ParameterTile& tile,
                            double* out) noexcept {
    if (!tile.penalised || penalty.none()) return;
    const bool normalised = tile.gain.size() > 0;
    const Range bent = normalised ? tile.gain : tile.weight;
    add_scaled<double>(penalty.l2, {v + bent.begin, bent.size()},
                       {out + bent.begin, bent.size()});
    if (!normalised || penalty.l1 == 0) return;
    const Index in = tile.weight.size() / tile.gain.size();
    for (Index i = 0; i < tile.gain.size(); ++i) {
        const Index row = tile.weight.begin + i * in, gain = tile.gain.begin + i;
        add_l1_of_normalised(penalty.l1, w[gain], v[gain], {w + row, in}, v + row,
                             out[gain], out + row);
    }
}

}  // namespace fastnn
