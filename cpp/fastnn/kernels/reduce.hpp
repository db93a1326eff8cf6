// Sums in a fixed order.
#pragma once

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

// n sums over rows, for one register of columns. Four rows are added side by side, as
// one chain of additions would wait for each to end; the four sums meet in pairs:
//   (0 + 1) + (2 + 3)
// Strips of rows are summed apart: a single chain of a million float additions would
// lose the third digit.
template <class T, int n>
class RowSums {
public:
    // term(i, add) calls add(k, value) for each of the n sums.
    template <class Term>
    void add_rows(Index rows, const Term& term) noexcept {
        for (Index begin = 0; begin < rows; begin += kStrip) {
            add_strip(begin, begin + kStrip < rows ? begin + kStrip : rows, term);
        }
    }
    simd::Vec<T> sum(int k) const noexcept { return totals_[k]; }

private:
    static constexpr Index kStrip = 512;

    template <class Term>
    void add_strip(Index begin, Index end, const Term& term) noexcept {
        simd::Vec<T> parts[4][n];
        Index i = begin;
        for (; i + 4 <= end; i += 4) {
            for (int lane = 0; lane < 4; ++lane) {
                term(i + lane, [&](int k, simd::Vec<T> v) { parts[lane][k] += v; });
            }
        }
        for (; i < end; ++i) {
            term(i, [&](int k, simd::Vec<T> v) { parts[0][k] += v; });
        }
        for (int k = 0; k < n; ++k) {
            totals_[k] += (parts[0][k] + parts[1][k]) + (parts[2][k] + parts[3][k]);
        }
    }

    simd::Vec<T> totals_[n];
};

// out = sum over the rows of x
template <class T>
void column_sums(MatrixView<const T> x,  // (rows, cols)
                 T* out) noexcept {      // (cols)
    simd::for_each<T>(x.cols, [&](auto at) {
        RowSums<T, 1> total;
        total.add_rows(x.rows, [&](Index i, auto add) { add(0, at.load(x.row(i))); });
        at.store(out, total.sum(0));
    });
}

// out += sum over the rows of x
template <class T>
void add_column_sums(MatrixView<const T> x,  // (rows, cols)
                     T* out) noexcept {      // (cols)
    simd::for_each<T>(x.cols, [&](auto at) {
        RowSums<T, 1> total;
        total.add_rows(x.rows, [&](Index i, auto add) { add(0, at.load(x.row(i))); });
        at.store(out, at.load(out) + total.sum(0));
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
    for (; i < x.size; ++i)
        total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
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
