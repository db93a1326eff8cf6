// Sums and products of long vectors: what methods that look at all parameters at once
// are made of. Sums run in double, in a fixed order.
#pragma once

#include <algorithm>
#include <cmath>

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

// sum_i term(i), in eight chains side by side that meet in pairs
template <class Term>
double sum_in_double(Index n, const Term& term) noexcept {
    double lanes[8] = {};
    Index i = 0;
    for (; i + 8 <= n; i += 8) {
        for (Index k = 0; k < 8; ++k) lanes[k] += term(i + k);
    }
    for (Index k = 0; i < n; ++i, ++k) lanes[k] += term(i);
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// x' y
template <class T>
double dot(VectorView<const T> x, VectorView<const T> y) noexcept {
    return sum_in_double(x.size, [&](Index i) {
        return static_cast<double>(x[i]) * static_cast<double>(y[i]);
    });
}

// sum_i |x_i|
template <class T>
double sum_of_absolutes(VectorView<const T> x) noexcept {
    return sum_in_double(x.size,
                         [&](Index i) { return std::abs(static_cast<double>(x[i])); });
}

// max_i |x_i|, 0 of nothing
template <class T>
double largest_absolute(VectorView<const T> x) noexcept {
    T largest = 0;
    for (Index i = 0; i < x.size; ++i) largest = std::max(largest, std::abs(x[i]));
    return static_cast<double>(largest);
}

// y += a x
template <class T>
void add_scaled(double a, VectorView<const T> x, VectorView<T> y) noexcept {
    const simd::Vec<T> factor(a);
    simd::for_each<T>(x.size, [&](auto at) {
        at.store(y.data, simd::fma(factor, at.load(x.data), at.load(y.data)));
    });
}

// out = x + a d
template <class T>
void step_along(VectorView<const T> x,
                double a,
                VectorView<const T> d,
                VectorView<T> out) noexcept {
    const simd::Vec<T> factor(a);
    simd::for_each<T>(x.size, [&](auto at) {
        at.store(out.data, simd::fma(factor, at.load(d.data), at.load(x.data)));
    });
}

// out = x - y
template <class T>
void subtract(VectorView<const T> x,
              VectorView<const T> y,
              VectorView<T> out) noexcept {
    simd::for_each<T>(x.size, [&](auto at) {
        at.store(out.data, at.load(x.data) - at.load(y.data));
    });
}

// out = a x
template <class T>
void scaled(double a, VectorView<const T> x, VectorView<T> out) noexcept {
    const simd::Vec<T> factor(a);
    simd::for_each<T>(x.size,
                      [&](auto at) { at.store(out.data, factor * at.load(x.data)); });
}

}  // namespace fastnn
