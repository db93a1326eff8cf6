#include "fastnn/nn/init.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fastnn {
namespace {

template <class T>
void fill_normal(MatrixView<T> w, double variance, Generator& random) {
    const double deviation = std::sqrt(variance);
    for (Index i = 0; i < w.rows * w.cols; ++i) {
        w.data[i] = static_cast<T>(deviation * random.normal());
    }
}

template <class T>
void fill_uniform(T* data, Index size, double bound, Generator& random) {
    for (Index i = 0; i < size; ++i) {
        data[i] = static_cast<T>(bound * (2 * random.uniform() - 1));
    }
}

// The bound of a uniform distribution with this variance.
double bound_for(double variance) { return std::sqrt(3 * variance); }

double dot(const double* a, const double* b, Index n) {
    double sum = 0;
    for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

// Gaussian vectors made orthonormal by Gram and Schmidt, each projected twice so that
// rounding leaves no component behind. The shorter side of w is the number of vectors.
template <class T>
void fill_orthogonal(MatrixView<T> w, Generator& random) {
    const Index count = std::min(w.rows, w.cols), length = std::max(w.rows, w.cols);
    std::vector<double> q(static_cast<std::size_t>(count * length));
    for (Index i = 0; i < count; ++i) {
        double* v = q.data() + i * length;
        for (Index k = 0; k < length; ++k) v[k] = random.normal();
        for (int pass = 0; pass < 2; ++pass) {
            for (Index j = 0; j < i; ++j) {
                const double* u = q.data() + j * length;
                const double along = dot(u, v, length);
                for (Index k = 0; k < length; ++k) v[k] -= along * u[k];
            }
        }
        const double norm = std::sqrt(dot(v, v, length));
        for (Index k = 0; k < length; ++k) v[k] /= norm;
    }
    for (Index r = 0; r < w.rows; ++r) {
        for (Index c = 0; c < w.cols; ++c) {
            const Index at = w.rows <= w.cols ? r * length + c : c * length + r;
            w(r, c) = static_cast<T>(q[static_cast<std::size_t>(at)]);
        }
    }
}

// E(max^2) of n standard normal numbers: the integral of n x^2 phi(x) Phi(x)^(n-1), by
// the trapezoidal rule, which is exact to rounding for what vanishes at both ends.
double mean_square_of_largest(Index n) {
    constexpr double kStep = 1.0 / 64;
    double sum = 0;
    for (double x = -12; x <= 12; x += kStep) {
        const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
        const double below = std::erfc(-x / std::numbers::sqrt2) / 2;
        sum += x * x * density * std::pow(below, static_cast<double>(n - 1));
    }
    return static_cast<double>(n) * sum * kStep;
}

}  // namespace

const std::vector<std::string>& init_names() {
    static const std::vector<std::string> names{
        "auto",         "he_normal",  "he_uniform", "glorot_normal", "glorot_uniform",
        "lecun_normal", "orthogonal", "torch",      "zeros"};
    return names;
}

template <class T>
void initialise_dense(const InitialWeights& how,
                      MatrixView<T> w,
                      VectorView<T> b,
                      Generator random) {
    const double in = static_cast<double>(w.cols), out = static_cast<double>(w.rows);
    const double he = 2 / in, glorot = 2 / (in + out);
    const std::string name = how.scheme != "auto"   ? how.scheme
                             : how.pieces > 1       ? "maxout"
                             : how.before_rectifier ? "he_normal"
                                                    : "glorot_uniform";
    std::fill_n(b.data, b.size, T(0));
    if (name == "maxout") {
        fill_normal(w, 1 / (in * mean_square_of_largest(how.pieces)), random);
    } else if (name == "zeros") {
        std::fill_n(w.data, w.rows * w.cols, T(0));
    } else if (name == "he_normal") {
        fill_normal(w, he, random);
    } else if (name == "glorot_normal") {
        fill_normal(w, glorot, random);
    } else if (name == "lecun_normal") {
        fill_normal(w, 1 / in, random);
    } else if (name == "he_uniform") {
        fill_uniform(w.data, w.rows * w.cols, bound_for(he), random);
    } else if (name == "glorot_uniform") {
        fill_uniform(w.data, w.rows * w.cols, bound_for(glorot), random);
    } else if (name == "orthogonal") {
        fill_orthogonal(w, random);
    } else {  // torch
        fill_uniform(w.data, w.rows * w.cols, 1 / std::sqrt(in), random);
        fill_uniform(b.data, b.size, 1 / std::sqrt(in), random);
    }
}

template void initialise_dense<float>(const InitialWeights&,
                                      MatrixView<float>,
                                      VectorView<float>,
                                      Generator);
template void initialise_dense<double>(const InitialWeights&,
                                       MatrixView<double>,
                                       VectorView<double>,
                                       Generator);

}  // namespace fastnn
