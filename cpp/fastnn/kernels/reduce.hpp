// Sums in a fixed order.
#pragma once

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

// out = sum over the rows of x
template <class T>
void column_sums(MatrixView<const T> x,  // (rows, cols)
                 T* out) noexcept {      // (cols)
    simd::for_each<T>(x.cols, [&](auto at) {
        simd::Vec<T> total;
        for (Index i = 0; i < x.rows; ++i) total += at.load(x.row(i));
        at.store(out, total);
    });
}

// sum_i x_i^2, accumulated in double
template <class T>
double squared_norm(VectorView<const T> x) noexcept {
    double lanes[8] = {};
    Index i = 0;
    for (; i + 8 <= x.size; i += 8) {
        for (Index k = 0; k < 8; ++k) {
            lanes[k] += static_cast<double>(x[i + k]) * static_cast<double>(x[i + k]);
        }
    }
    double total = 0;
    for (double lane : lanes) total += lane;
    for (; i < x.size; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return total;
}

// x *= factor
template <class T>
void scale(VectorView<T> x, double factor) noexcept {
    const simd::Vec<T> f(factor);
    simd::for_each<T>(x.size, [&](auto at) { at.store(x.data, at.load(x.data) * f); });
}

// Whether no element is NaN or infinite: x - x is 0 for finite x and NaN for others.
template <class T>
bool all_finite(VectorView<const T> x) noexcept {
    simd::Vec<T> total;
    simd::for_each<T>(x.size, [&](auto at) {
        const simd::Vec<T> v = at.load(x.data);
        total += v - v;
    });
    return sum(total) == T(0);
}

}  // namespace fastnn
