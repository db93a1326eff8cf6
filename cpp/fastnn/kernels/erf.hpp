// Complementary error function on registers, relative error about 1e-15 in double.
//
// W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics
// of Computation 23 (1969): erf(x) = x R(x^2) for |x| <= 0.46875, erfc(x) = exp(-x^2)
// R(x) up to 4, and exp(-x^2)/x (1/sqrt(pi) + R(1/x^2)/x^2) beyond.
#pragma once

#include <array>

#include "fastnn/kernels/simd.hpp"

namespace fastnn::simd {
namespace cody {

// Numerators and denominators, highest power first; denominators begin with 1.
inline constexpr std::array kSmallTop{1.85777706184603153e-1, 3.16112374387056560e0,
                                      1.13864154151050156e2, 3.77485237685302021e2,
                                      3.20937758913846947e3};
inline constexpr std::array kSmallBottom{1.0, 2.36012909523441209e1,
                                         2.44024637934444173e2, 1.28261652607737228e3,
                                         2.84423683343917062e3};
inline constexpr std::array kMiddleTop{
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
    6.61191906371416295e1,  2.98635138197400131e2,  8.81952221241769090e2,
    1.71204761263407058e3,  2.05107837782607147e3,  1.23033935479799725e3};
inline constexpr std::array kMiddleBottom{1.0,
                                          1.57449261107098347e1,
                                          1.17693950891312499e2,
                                          5.37181101862009858e2,
                                          1.62138957456669019e3,
                                          3.29079923573345963e3,
                                          4.36261909014324716e3,
                                          3.43936767414372164e3,
                                          1.23033935480374942e3};
inline constexpr std::array kLargeTop{1.63153871373020978e-2, 3.05326634961232344e-1,
                                      3.60344899949804439e-1, 1.25781726111229246e-1,
                                      1.60837851487422766e-2, 6.58749161529837803e-4};
inline constexpr std::array kLargeBottom{1.0,
                                         2.56852019228982242e0,
                                         1.87295284992346725e0,
                                         5.27905102951428412e-1,
                                         6.05183413124413191e-2,
                                         2.33520497626869185e-3};

template <class T, std::size_t N>
Vec<T> polynomial(Vec<T> x, const std::array<double, N>& coefficients) {
    Vec<T> sum(static_cast<T>(coefficients[0]));
    for (std::size_t i = 1; i < N; ++i) {
        sum = fma(sum, x, Vec<T>(static_cast<T>(coefficients[i])));
    }
    return sum;
}

}  // namespace cody

template <class T>
Vec<T> erfc(Vec<T> x) {
    using V = Vec<T>;
    using namespace cody;
    const V y = abs(x);
    const V small_square = min(y * y, V(T(0.25)));
    const V small = V(T(1)) - x * polynomial(small_square, kSmallTop) /
                                  polynomial(small_square, kSmallBottom);

    const V middle_y = min(y, V(T(4)));
    const V middle =
        polynomial(middle_y, kMiddleTop) / polynomial(middle_y, kMiddleBottom);
    const V large_y = max(y, V(T(4)));
    const V inverse = V(T(1)) / (large_y * large_y);
    const V large =
        (V(T(0.56418958354775628695)) -
         inverse * polynomial(inverse, kLargeTop) / polynomial(inverse, kLargeBottom)) /
        large_y;
    const V tail = exp(-(y * y)) * select(y <= V(T(4)), middle, large);
    const V outer = select(x < V(T(0)), V(T(2)) - tail, tail);
    return select(y > V(T(0.46875)), outer,
                  small);  // NaN takes the branch that keeps it
}

}  // namespace fastnn::simd
