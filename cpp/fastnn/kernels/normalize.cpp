#include "fastnn/kernels/normalize.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fastnn/kernels/reduce.hpp"

namespace fastnn {

using simd::for_each;
using simd::Vec;

namespace {

// Of a row whose squares overflow, those of the row times this do not, whatever its
// length, and those that count do not vanish.
template <class T>
constexpr T kShrink = sizeof(T) == 4 ? T(0x1p-80) : T(0x1p-600);

// 1 / sqrt(square + eps) where square kShrink^2 is given, finite or not. It stays a
// normal number, as the workers flush others to zero: a row beyond a quarter of the
// largest number is divided by that quarter.
template <class T>
T inverse_of_large(T shrunk_square, double eps) noexcept {
    const T largest = T(1) / std::sqrt(static_cast<T>(eps));  // eps may vanish, shrunk
    const T shrunk_eps = static_cast<T>(eps) * kShrink<T> * kShrink<T>;
    const T inverse = kShrink<T> / std::sqrt(shrunk_square + shrunk_eps);
    if (!std::isfinite(shrunk_square)) return inverse;
    return std::clamp(inverse, std::numeric_limits<T>::min(), largest);
}

template <class T>
struct RowMoments {
    T mean;
    T variance;  // biased
};

template <class T, class Load>
RowMoments<T> row_moments(Index n, const Load& load) noexcept {
    Vec<T> total, squares;
    for_each<T>(n, [&](auto at) { total += load(at); });
    const T mean = sum(total) / static_cast<T>(n);
    for_each<T>(n, [&](auto at) {
        const Vec<T> d = at.where_inside(load(at) - Vec<T>(mean));
        squares = fma(d, d, squares);
    });
    return {mean, sum(squares) / static_cast<T>(n)};
}

template <class T>
struct RowStatistics {
    T mean;
    T inv_std;
};

template <class T>
RowStatistics<T> row_statistics(const T* row, Index n, double eps) noexcept {
    const auto plain = row_moments<T>(n, [&](auto at) { return at.load(row); });
    if (std::isfinite(plain.variance)) {
        return {plain.mean, T(1) / std::sqrt(plain.variance + static_cast<T>(eps))};
    }
    const auto shrunk =
        row_moments<T>(n, [&](auto at) { return at.load(row) * Vec<T>(kShrink<T>); });
    return {shrunk.mean / kShrink<T>, inverse_of_large(shrunk.variance, eps)};
}

template <class T, class Load>
T mean_square(Index n, const Load& load) noexcept {
    Vec<T> squares;
    for_each<T>(n, [&](auto at) {
        const Vec<T> v = load(at);
        squares = fma(v, v, squares);
    });
    return sum(squares) / static_cast<T>(n);
}

template <class T>
T inverse_root_mean_square(const T* row, Index n, double eps) noexcept {
    const T plain = mean_square<T>(n, [&](auto at) { return at.load(row); });
    if (std::isfinite(plain)) return T(1) / std::sqrt(plain + static_cast<T>(eps));
    const T shrunk =
        mean_square<T>(n, [&](auto at) { return at.load(row) * Vec<T>(kShrink<T>); });
    return inverse_of_large(shrunk, eps);
}

}  // namespace

template <class T>
void column_moments(MatrixView<const T> x, T* mean, T* m2) noexcept {
    const Vec<T> per_row(1.0 / static_cast<double>(x.rows));
    for_each<T>(x.cols, [&](auto at) {
        RowSums<T, 1> totals;
        totals.add_rows(x.rows, [&](Index i, auto add) { add(0, at.load(x.row(i))); });
        const Vec<T> rough = totals.sum(0) * per_row;
        // What rounding left out of the first sum is the mean of the deviations.
        RowSums<T, 2> rest;
        rest.add_rows(x.rows, [&](Index i, auto add) {
            const Vec<T> d = at.load(x.row(i)) - rough;
            add(0, d);
            add(1, d * d);
        });
        const Vec<T> error = rest.sum(0) * per_row;
        at.store(mean, rough + error);
        // Rounding must not leave a column of equal large numbers less than no spread.
        at.store(m2, max_with_number(rest.sum(1) - rest.sum(0) * error, Vec<T>()));
    });
}

template <class T>
void merge_moments(Index cols,
                   Index count,
                   T* mean,
                   T* m2,
                   Index more,
                   const T* more_mean,
                   const T* more_m2) noexcept {
    const double total = static_cast<double>(count + more);
    const Vec<T> share(static_cast<double>(more) / total);
    const Vec<T> cross(static_cast<double>(count) * static_cast<double>(more) / total);
    for_each<T>(cols, [&](auto at) {
        const Vec<T> delta = at.load(more_mean) - at.load(mean);
        at.store(mean, fma(delta, share, at.load(mean)));
        at.store(m2, at.load(m2) + at.load(more_m2) + delta * delta * cross);
    });
}

template <class T>
void inverse_deviation(VectorView<const T> variance, double eps, T* inv_std) noexcept {
    for_each<T>(variance.size, [&](auto at) {
        at.store(inv_std, Vec<T>(1) / sqrt(at.load(variance.data) + Vec<T>(eps)));
    });
}

template <class T>
void batchnorm_apply(MatrixView<const T> x,
                     const T* mean,
                     const T* inv_std,
                     const T* gamma,
                     const T* beta,
                     MatrixView<T> y) noexcept {
    for_each<T>(x.cols, [&](auto at) {
        const Vec<T> m = at.load(mean), b = at.load(beta);
        const Vec<T> scale = at.load(inv_std) * at.load(gamma);
        for (Index i = 0; i < x.rows; ++i) {
            at.store(y.row(i), fma(at.load(x.row(i)) - m, scale, b));
        }
    });
}

template <class T>
void batchnorm_infer(MatrixView<const T> x,
                     const T* mean,
                     const T* variance,
                     double eps,
                     const T* gamma,
                     const T* beta,
                     MatrixView<T> y) noexcept {
    for_each<T>(x.cols, [&](auto at) {
        const Vec<T> m = at.load(mean), b = at.load(beta);
        const Vec<T> inverse = Vec<T>(1) / sqrt(at.load(variance) + Vec<T>(eps));
        const Vec<T> scale = inverse * at.load(gamma);
        for (Index i = 0; i < x.rows; ++i) {
            at.store(y.row(i), fma(at.load(x.row(i)) - m, scale, b));
        }
    });
}

template <class T>
void batchnorm_sums(MatrixView<const T> dy,
                    MatrixView<const T> x,
                    const T* mean,
                    const T* inv_std,
                    T* dgamma,
                    T* dbeta) noexcept {
    for_each<T>(x.cols, [&](auto at) {
        const Vec<T> m = at.load(mean);
        RowSums<T, 2> sums;
        sums.add_rows(x.rows, [&](Index i, auto add) {
            const Vec<T> d = at.load(dy.row(i));
            add(0, d);
            add(1, d * (at.load(x.row(i)) - m));
        });
        at.store(dbeta, sums.sum(0));
        at.store(dgamma, sums.sum(1) * at.load(inv_std));
    });
}

template <class T>
void batchnorm_backward_input(MatrixView<const T> dy,
                              MatrixView<const T> x,
                              const T* mean,
                              const T* inv_std,
                              const T* gamma,
                              const T* dgamma,
                              const T* dbeta,
                              Index n,
                              MatrixView<T> dx) noexcept {
    const Vec<T> share(n > 0 ? 1.0 / static_cast<double>(n) : 0.0);
    for_each<T>(x.cols, [&](auto at) {
        const Vec<T> m = at.load(mean), inverse = at.load(inv_std);
        const Vec<T> scale = at.load(gamma) * inverse;
        const Vec<T> dy_mean = at.load(dbeta) * share;
        const Vec<T> slope = at.load(dgamma) * share * inverse;
        for (Index i = 0; i < x.rows; ++i) {
            const Vec<T> d = at.load(dy.row(i)) - dy_mean;
            const Vec<T> centred = at.load(x.row(i)) - m;
            at.store(dx.row(i), scale * (d - centred * slope));
        }
    });
}

template <class T>
void layernorm_forward(MatrixView<const T> x,
                       const T* gamma,
                       const T* beta,
                       double eps,
                       MatrixView<T> y,
                       T* mean,
                       T* inv_std) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        const T* row = x.row(i);
        const auto [average, inverse] = row_statistics(row, x.cols, eps);
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> xhat = (at.load(row) - Vec<T>(average)) * Vec<T>(inverse);
            at.store(y.row(i), fma(xhat, at.load(gamma), at.load(beta)));
        });
        mean[i] = average;
        inv_std[i] = inverse;
    }
}

template <class T>
void layernorm_backward_input(MatrixView<const T> dy,
                              MatrixView<const T> x,
                              const T* gamma,
                              const T* mean,
                              const T* inv_std,
                              MatrixView<T> dx) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        const Vec<T> m(mean[i]), inverse(inv_std[i]);
        Vec<T> total, product;
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> d = at.load(dy.row(i)) * at.load(gamma);
            total += d;
            product = fma(d, (at.load(x.row(i)) - m) * inverse, product);
        });
        const Vec<T> d_mean(sum(total) / static_cast<T>(x.cols));
        const Vec<T> slope(sum(product) / static_cast<T>(x.cols));
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> d = at.load(dy.row(i)) * at.load(gamma) - d_mean;
            const Vec<T> xhat = (at.load(x.row(i)) - m) * inverse;
            at.store(dx.row(i), inverse * (d - xhat * slope));
        });
    }
}

template <class T>
void layernorm_sums(MatrixView<const T> dy,
                    MatrixView<const T> x,
                    const T* mean,
                    const T* inv_std,
                    T* dgamma,
                    T* dbeta) noexcept {
    for_each<T>(x.cols, [&](auto at) {
        RowSums<T, 2> sums;
        sums.add_rows(x.rows, [&](Index i, auto add) {
            const Vec<T> d = at.load(dy.row(i));
            add(0, d);
            add(1, d * (at.load(x.row(i)) - Vec<T>(mean[i])) * Vec<T>(inv_std[i]));
        });
        at.store(dbeta, sums.sum(0));
        at.store(dgamma, sums.sum(1));
    });
}

template <class T>
void rmsnorm_forward(MatrixView<const T> x,
                     const T* gamma,
                     double eps,
                     MatrixView<T> y,
                     T* inv_rms) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        const T* row = x.row(i);
        const T inverse = inverse_root_mean_square(row, x.cols, eps);
        for_each<T>(x.cols, [&](auto at) {
            at.store(y.row(i), at.load(row) * Vec<T>(inverse) * at.load(gamma));
        });
        if (inv_rms) inv_rms[i] = inverse;
    }
}

template <class T>
void rmsnorm_backward_input(MatrixView<const T> dy,
                            MatrixView<const T> x,
                            const T* gamma,
                            const T* inv_rms,
                            MatrixView<T> dx) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        const Vec<T> inverse(inv_rms[i]);
        Vec<T> product;
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> d = at.load(dy.row(i)) * at.load(gamma);
            product = fma(d, at.load(x.row(i)) * inverse, product);
        });
        const Vec<T> slope(sum(product) / static_cast<T>(x.cols));
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> d = at.load(dy.row(i)) * at.load(gamma);
            const Vec<T> xhat = at.load(x.row(i)) * inverse;
            at.store(dx.row(i), inverse * (d - xhat * slope));
        });
    }
}

template <class T>
void rmsnorm_sums(MatrixView<const T> dy,
                  MatrixView<const T> x,
                  const T* inv_rms,
                  T* dgamma) noexcept {
    for_each<T>(x.cols, [&](auto at) {
        RowSums<T, 1> sums;
        sums.add_rows(x.rows, [&](Index i, auto add) {
            add(0, at.load(dy.row(i)) * at.load(x.row(i)) * Vec<T>(inv_rms[i]));
        });
        at.store(dgamma, sums.sum(0));
    });
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void column_moments<T>(MatrixView<const T>, T*, T*) noexcept;             \
    template void merge_moments<T>(Index, Index, T*, T*, Index, const T*,              \
                                   const T*) noexcept;                                 \
    template void inverse_deviation<T>(VectorView<const T>, double, T*) noexcept;      \
    template void batchnorm_apply<T>(MatrixView<const T>, const T*, const T*,          \
                                     const T*, const T*, MatrixView<T>) noexcept;      \
    template void batchnorm_infer<T>(MatrixView<const T>, const T*, const T*, double,  \
                                     const T*, const T*, MatrixView<T>) noexcept;      \
    template void batchnorm_sums<T>(MatrixView<const T>, MatrixView<const T>,          \
                                    const T*, const T*, T*, T*) noexcept;              \
    template void batchnorm_backward_input<T>(                                         \
        MatrixView<const T>, MatrixView<const T>, const T*, const T*, const T*,        \
        const T*, const T*, Index, MatrixView<T>) noexcept;                            \
    template void layernorm_forward<T>(MatrixView<const T>, const T*, const T*,        \
                                       double, MatrixView<T>, T*, T*) noexcept;        \
    template void layernorm_backward_input<T>(MatrixView<const T>,                     \
                                              MatrixView<const T>, const T*, const T*, \
                                              const T*, MatrixView<T>) noexcept;       \
    template void layernorm_sums<T>(MatrixView<const T>, MatrixView<const T>,          \
                                    const T*, const T*, T*, T*) noexcept;              \
    template void rmsnorm_forward<T>(MatrixView<const T>, const T*, double,            \
                                     MatrixView<T>, T*) noexcept;                      \
    template void rmsnorm_backward_input<T>(MatrixView<const T>, MatrixView<const T>,  \
                                            const T*, const T*,                        \
                                            MatrixView<T>) noexcept;                   \
    template void rmsnorm_sums<T>(MatrixView<const T>, MatrixView<const T>, const T*,  \
                                  T*) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
