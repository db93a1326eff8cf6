// Dropout (Srivastava et al. 2014), inverted: kept elements are scaled by 1 / (1 - p).
#pragma once

#include "fastnn/kernels/random_words.hpp"

namespace fastnn {

// factor = 0 with probability p, else 1 / (1 - p);  y = x factor.
// `first_row` is the batch row of x's row 0.
template <class T>
void dropout_forward(MatrixView<const T> x,  // (rows, cols)
                     double p,
                     const RandomKey& key,
                     Index first_row,
                     MatrixView<T> y,                 // (rows, cols), may be x
                     MatrixView<T> factor) noexcept;  // (rows, cols)

// y = x factor with the factors of dropout_forward, which are not kept: what a second
// call with the same key does to a gradient is dx = dy factor.
template <class T>
void apply_mask(MatrixView<const T> x,  // (rows, cols)
                double p,
                const RandomKey& key,
                Index first_row,
                MatrixView<T> y) noexcept;  // (rows, cols), may be x

// Dropout that keeps mean 0 and variance 1 (Klambauer et al. 2017), with what SELU
// tends to for x to minus infinity, s = -1.7581, in place of dropped elements:
//   y = a s + b  with probability p, else  a x + b
//   a = 1 / sqrt((1 - p) (1 + p s^2)),  b = -a p s
//   factor = dy/dx = 0 or a
template <class T>
void alpha_dropout_forward(MatrixView<const T> x,  // (rows, cols)
                           double p,
                           const RandomKey& key,
                           Index first_row,
                           MatrixView<T> y,                 // (rows, cols), may be x
                           MatrixView<T> factor) noexcept;  // (rows, cols)

// out = a b, element by element: y = x factor, dx = dy factor
template <class T>
void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out) noexcept;

}  // namespace fastnn
