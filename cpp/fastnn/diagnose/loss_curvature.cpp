#include "fastnn/diagnose/loss_curvature.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fastnn/nn/loss_rows.hpp"

namespace fastnn {
namespace {

using Row = Sample<double>;

// Each overload writes factor * H rz, without regard to speed: a row's products with
// the weights cost far more.

template <class Curvature>
void diagonal(const Row& s,
              double factor,
              const double* rz,
              double* rdz,
              const Curvature& curvature) {
    for (Index j = 0; j < s.outputs; ++j) rdz[j] = factor * curvature(j) * rz[j];
}

void row(const loss::Mse& l,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    diagonal(s, factor * l.share(s.outputs), rz, rdz, [](Index) { return 2.0; });
}

void row(const loss::SquaredError&,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    diagonal(s, factor, rz, rdz, [](Index) { return 1.0; });
}

void row(const loss::Mae&, const Row& s, double, const double*, double* rdz) {
    std::fill_n(rdz, s.outputs, 0.0);
}

void row(const loss::Quantile&, const Row& s, double, const double*, double* rdz) {
    std::fill_n(rdz, s.outputs, 0.0);
}

void row(const loss::Hinge&, const Row& s, double, const double*, double* rdz) {
    std::fill_n(rdz, s.outputs, 0.0);
}

void row(const loss::Huber& l,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    diagonal(s, factor * l.share(s.outputs), rz, rdz,
             [&](Index j) { return std::abs(s.z[j] - s.y[j]) <= l.delta ? 1.0 : 0.0; });
}

// 1 / cosh(d)^2
void row(const loss::LogCosh& l,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    diagonal(s, factor * l.share(s.outputs), rz, rdz, [&](Index j) {
        const double e = std::exp(-std::abs(s.z[j] - s.y[j]));
        const double inverse = 2 * e / (1 + e * e);
        return inverse * inverse;
    });
}

void row(const loss::PoissonNll& l,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    diagonal(s, factor * l.share(s.outputs), rz, rdz,
             [&](Index j) { return std::exp(s.z[j]); });
}

// With p = exp(-v) and d = m - y: l_mm = p, l_mv = -d p, l_vv = d^2 p / 2; at the floor
// of v there is l_mm alone.
void row(const loss::GaussianNll& l,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    const Index n = s.outputs / 2;
    const double scale = factor / static_cast<double>(n), floor = std::log(l.eps);
    for (Index j = 0; j < n; ++j) {
        const double given = s.z[n + j], d = s.z[j] - s.y[j];
        const double precision = std::exp(-std::max(given, floor));
        const double rm = rz[j], rv = given <= floor ? 0.0 : rz[n + j];
        const double rdv = given <= floor ? 0.0 : d * precision * (d / 2 * rv - rm);
        rdz[j] = scale * precision * (rm - d * rv);
        rdz[n + j] = scale * rdv;
    }
}

// s(z) (1 - s(z)) ((1 - q) + p q)
void row(const loss::BinaryCrossEntropy& b,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    const auto pos_weight = [&](Index j) {
        if (b.pos_weight.empty()) return 1.0;
        return b.pos_weight.size() == 1 ? b.pos_weight[0]
                                        : b.pos_weight[static_cast<std::size_t>(j)];
    };
    diagonal(s, factor * b.share(s.outputs), rz, rdz, [&](Index j) {
        const double q = (1 - b.label_smoothing) * s.y[j] + b.label_smoothing / 2;
        const double e = std::exp(-std::abs(s.z[j]));
        return e / ((1 + e) * (1 + e)) * ((1 - q) + pos_weight(j) * q);
    });
}

// The target's share in output j.
double target(const Row& s, Index j) {
    if (s.y) return s.y[j];
    return j == s.label ? 1.0 : 0.0;
}

// p = softmax(z) of a row, and R{log p} = rz - p' rz. All is counted from the likeliest
// output, so that nothing is lost where the others' share is tiny.
class SoftmaxRow {
public:
    SoftmaxRow(const Row& s, const double* rz)
        : z_(s.z), rz_(rz), top_(std::max_element(s.z, s.z + s.outputs) - s.z) {
        double change = 0;
        for (Index j = 0; j < s.outputs; ++j) {
            if (j == top_) continue;
            const double e = std::exp(z_[j] - z_[top_]);
            others_ += e;
            change += e * (rz_[j] - rz_[top_]);
        }
        mean_change_ = change / (1 + others_);
        log_partition_ = std::log1p(others_);
    }
    double log_p(Index j) const { return z_[j] - z_[top_] - log_partition_; }
    double p(Index j) const { return std::exp(log_p(j)); }
    double rest(Index j) const {  // 1 - p
        return j == top_ ? others_ / (1 + others_) : -std::expm1(log_p(j));
    }
    double r_log_p(Index j) const { return rz_[j] - rz_[top_] - mean_change_; }

private:
    const double* z_;
    const double* rz_;
    Index top_;
    double others_ = 0;
    double log_partition_;
    double mean_change_;
};

// dl/dz = p sum_j q_j - q, so R{dl/dz} = R{p} sum_j q_j
void row(const loss::CrossEntropy& c,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    double mass = 0;
    for (Index j = 0; j < s.outputs; ++j) mass += target(s, j);
    mass = (1 - c.label_smoothing) * mass + c.label_smoothing;
    const SoftmaxRow softmax(s, rz);
    for (Index j = 0; j < s.outputs; ++j) {
        rdz[j] = factor * mass * softmax.p(j) * softmax.r_log_p(j);
    }
}

// dl/dz_k = q_k g_k - p_k sum_j q_j g_j (focal_loss.cpp), with
//   g          = (1 - p)^gamma (gamma p log p / (1 - p) - 1)
//   dg / dlogp = gamma p (1 - p)^(gamma - 1)
//                (2 + log p - (gamma - 1) p log p / (1 - p))
void row(const loss::Focal& f,
         const Row& s,
         double factor,
         const double* rz,
         double* rdz) {
    const SoftmaxRow softmax(s, rz);
    double sum = 0, r_sum = 0;
    for (Index j = 0; j < s.outputs; ++j) {
        const double q = target(s, j);
        rdz[j] = 0;
        if (q == 0) continue;  // a class ruled out may have log p = -inf
        const double log_p = softmax.log_p(j), p = std::exp(log_p);
        const double rest =
            std::max(softmax.rest(j), std::numeric_limits<double>::min());
        const double focus = std::pow(rest, f.gamma);
        const double g = focus * (f.gamma * p * log_p / rest - 1);
        const double slope = f.gamma * p * (focus / rest) *
                             (2 + log_p - (f.gamma - 1) * p * (log_p / rest));
        rdz[j] = q * slope * softmax.r_log_p(j);
        sum += q * g;
        r_sum += rdz[j];
    }
    for (Index j = 0; j < s.outputs; ++j) {
        const double p = softmax.p(j);
        rdz[j] = factor * (rdz[j] - p * (softmax.r_log_p(j) * sum + r_sum));
    }
}

void row(const loss::Custom&, const Row& s, double, const double*, double* rdz) {
    std::fill_n(rdz, s.outputs, std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

void loss_r_rows(const Loss& loss,
                 MatrixView<const double> z,
                 const Targets<double>& targets,
                 VectorView<const double> weights,
                 double total_weight,
                 MatrixView<const double> rz,
                 MatrixView<double> rdz) noexcept {
    const LossRows<double> batch{z, targets, weights, nullptr, total_weight, rdz};
    std::visit(
        [&](const auto& l) {
            for (Index i = 0; i < z.rows; ++i) {
                const bool labelled = targets.are_labels();
                const std::int32_t y = labelled ? batch.label(i) : -1;
                if (labelled && !batch.is_class(y)) {
                    std::fill_n(rdz.row(i), rdz.cols,
                                std::numeric_limits<double>::quiet_NaN());
                    continue;
                }
                const Row sample{z.row(i), labelled ? nullptr : targets.values.row(i),
                                 y, z.cols};
                const double factor = batch.factor(batch.weight(i));
                row(l, sample, factor, rz.row(i), rdz.row(i));
            }
        },
        loss);
}

}  // namespace fastnn
