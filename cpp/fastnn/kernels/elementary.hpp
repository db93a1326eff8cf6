// exp(x), exp(x) - 1 and log(1 + x), where activations and losses need them, on
// registers, to 2 units in the last place.
#pragma once

#include <array>
#include <numbers>
#include <type_traits>

#include "fastnn/kernels/simd.hpp"

namespace fastnn::simd {

// 1/k! for k < n
template <int n>
constexpr std::array<double, n> inverse_factorials() {
    std::array<double, n> values{1.0};
    for (int k = 1; k < n; ++k) values[k] = values[k - 1] / k;
    return values;
}

// sum_k c[k] x^k for k from `first` on, divided by x^first
template <int first, class T, std::size_t n>
Vec<T> horner(const std::array<double, n>& c, Vec<T> x) {
    Vec<T> sum(c[n - 1]);
    for (std::size_t k = n - 1; k > first; --k) sum = fma(sum, x, Vec<T>(c[k - 1]));
    return sum;
}

// exp(x) as 2^n (1 + s) with n = round(x / ln 2), s = exp(r) - 1, r = x - n ln 2, so
// |r| <= ln(2) / 2, where r + r^2/2! + r^3/3! + ... ends early. For x <= 0, which is
// taken for kLowest if it is less: 2^n stays a normal number.
template <class T>
struct SplitExp {
    using V = Vec<T>;
    static constexpr bool kSingle = std::is_same_v<T, float>;
    static constexpr double kLowest = kSingle ? -87.3 : -708.0;
    V power, small;

    explicit SplitExp(V x) {
        // the next term is below a tenth of a unit
        constexpr int kTerms = kSingle ? 7 : 13;
        // ln 2 in two parts, the first short enough that n times it is exact
        constexpr double kHigh = kSingle ? 0.693359375 : 0x1.62e42feep-1;
        constexpr double kLow =
            kSingle ? -2.12194440054690583e-4 : 1.90821492927058770e-10;

        const V inside = max_with_number(x, V(kLowest));
        const V n = round(inside * V(std::numbers::log2e));
        const V r = fma(n, V(-kLow), fma(n, V(-kHigh), inside));
        static constexpr auto kInverseFactorials = inverse_factorials<kTerms + 1>();
        const V sum = horner<2>(kInverseFactorials, r);
        small = fma(sum * r, r, r);
        power = exp2_of_integer(n);
    }
};

// exp(x) for x <= 0; 0 where it is hardly more. Without the branches of simd::exp,
// which looks for arguments of either sign whose exponential is no normal number.
template <class T>
Vec<T> exp_of_negative(Vec<T> x) {
    const SplitExp<T> e(x);
    return select(x < Vec<T>(e.kLowest), Vec<T>(), fma(e.power, e.small, e.power));
}

// exp(x) - 1 for x <= 0
template <class T>
Vec<T> expm1_of_negative(Vec<T> x) {
    const SplitExp<T> e(x);  // below kLowest it is -1 in full
    return fma(e.power, e.small, e.power - Vec<T>(1));
}

// log(1 + x) for 0 <= x <= 1: 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), with
// s = x / (2 + x)
template <class T>
Vec<T> log1p_of_fraction(Vec<T> x) {
    using V = Vec<T>;
    constexpr int kTerms = std::is_same_v<T, float> ? 8 : 17;  // s^2 <= 1/9
    static constexpr auto kInverseOdd = [] {
        std::array<double, kTerms> values{};
        for (int k = 0; k < kTerms; ++k) values[k] = 1.0 / (2 * k + 1);
        return values;
    }();
    const V s = x / (V(2) + x);
    const V square = s * s;
    const V sum = horner<1>(kInverseOdd, square);
    const V twice = s + s;
    return fma(twice * square, sum, twice);
}

}  // namespace fastnn::simd
