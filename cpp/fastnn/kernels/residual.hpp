// The sum that ends a residual block (He et al. 2016), with stochastic depth (Huang et
// al. 2016): y = skip + factor F, where a row's factor is 0 or 1 / survival.
#pragma once

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/random_words.hpp"

namespace fastnn {

// factor = 1 / survival with probability survival, else 0. Row r of the batch uses word
// r % 4 of Philox block (0, r / 4). `first_row` is the batch row of factors[0].
template <class T>
void survival_factors(double survival,
                      const RandomKey& key,
                      Index first_row,
                      VectorView<T> factors) noexcept;  // (rows)

// y = skip + factor F
template <class T>
void residual_forward(MatrixView<const T> skip,     // (rows, cols)
                      MatrixView<const T> branch,   // (rows, cols): F
                      VectorView<const T> factors,  // (rows), or empty: 1
                      MatrixView<T> y) noexcept;    // (rows, cols)

// dF = factor dy; the skip's gradient is dy itself
template <class T>
void residual_backward(MatrixView<const T> dy,           // (rows, cols)
                       VectorView<const T> factors,      // (rows), or empty: 1
                       MatrixView<T> dbranch) noexcept;  // (rows, cols)

// to += x
template <class T>
void add_rows(MatrixView<const T> x, MatrixView<T> to) noexcept;

}  // namespace fastnn
