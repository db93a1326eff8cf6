// Batch normalisation (Ioffe & Szegedy 2015), layer normalisation (Ba et al. 2016) and
// root-mean-square normalisation (Zhang & Sennrich 2019).
//
// Statistics over a batch are gathered tile by tile as (mean, M2), M2 the sum of
// squared deviations, and merged in a fixed order (Chan, Golub & LeVeque 1983): no
// cancellation, and the same bits however many threads made the tiles.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// Per column: mean and sum of squared deviations over the rows of x.
template <class T>
void column_moments(MatrixView<const T> x,  // (rows, cols)
                    T* mean,                // (cols)
                    T* m2) noexcept;        // (cols)

// Moments of `count` rows joined with those of `more` rows: (mean, m2) is updated.
template <class T>
void merge_moments(Index cols,
                   Index count,
                   T* mean,
                   T* m2,
                   Index more,
                   const T* more_mean,
                   const T* more_m2) noexcept;

// inv_std = 1 / sqrt(variance + eps)
template <class T>
void inverse_deviation(VectorView<const T> variance, double eps, T* inv_std) noexcept;

// y = (x - mean) inv_std gamma + beta, all per column
template <class T>
void batchnorm_apply(MatrixView<const T> x,  // (rows, cols)
                     const T* mean,
                     const T* inv_std,  // (cols)
                     const T* gamma,
                     const T* beta,              // (cols)
                     MatrixView<T> y) noexcept;  // (rows, cols), may be x

// y = (x - mean) / sqrt(variance + eps) gamma + beta: inference by running statistics,
// the same arithmetic as inverse_deviation and batchnorm_apply
template <class T>
void batchnorm_infer(MatrixView<const T> x,  // (rows, cols)
                     const T* mean,
                     const T* variance,  // (cols)
                     double eps,
                     const T* gamma,
                     const T* beta,              // (cols)
                     MatrixView<T> y) noexcept;  // (rows, cols), may be x

// dgamma = sum_rows dy xhat,  dbeta = sum_rows dy,  xhat = (x - mean) inv_std
template <class T>
void batchnorm_sums(MatrixView<const T> dy,  // (rows, cols)
                    MatrixView<const T> x,   // (rows, cols)
                    const T* mean,
                    const T* inv_std,  // (cols)
                    T* dgamma,
                    T* dbeta) noexcept;  // (cols)

// dx = gamma inv_std (dy - dbeta/n - xhat dgamma/n); with n = 0 the statistics are
// constants (inference) and dx = gamma inv_std dy
template <class T>
void batchnorm_backward_input(MatrixView<const T> dy,  // (rows, cols)
                              MatrixView<const T> x,   // (rows, cols)
                              const T* mean,
                              const T* inv_std,
                              const T* gamma,
                              const T* dgamma,
                              const T* dbeta,
                              Index n,
                              MatrixView<T> dx) noexcept;  // (rows, cols), may be dy

// y = (x - mean) inv_std gamma + beta, mean and inv_std per row
template <class T>
void layernorm_forward(MatrixView<const T> x,  // (rows, cols)
                       const T* gamma,
                       const T* beta,  // (cols)
                       double eps,
                       MatrixView<T> y,  // (rows, cols)
                       T* mean,
                       T* inv_std) noexcept;  // (rows)

// dx = inv_std (dy gamma - mean_cols(dy gamma) - xhat mean_cols(dy gamma xhat))
template <class T>
void layernorm_backward_input(MatrixView<const T> dy,  // (rows, cols)
                              MatrixView<const T> x,   // (rows, cols)
                              const T* gamma,          // (cols)
                              const T* mean,
                              const T* inv_std,            // (rows)
                              MatrixView<T> dx) noexcept;  // (rows, cols)

// dgamma = sum_rows dy xhat,  dbeta = sum_rows dy
template <class T>
void layernorm_sums(MatrixView<const T> dy,  // (rows, cols)
                    MatrixView<const T> x,   // (rows, cols)
                    const T* mean,
                    const T* inv_std,  // (rows)
                    T* dgamma,
                    T* dbeta) noexcept;  // (cols)

// y = x inv_rms gamma,  inv_rms = 1 / sqrt(mean_cols(x^2) + eps) per row
template <class T>
void rmsnorm_forward(MatrixView<const T> x,  // (rows, cols)
                     const T* gamma,         // (cols)
                     double eps,
                     MatrixView<T> y,       // (rows, cols)
                     T* inv_rms) noexcept;  // (rows), or null

// dx = inv_rms (dy gamma - xhat mean_cols(dy gamma xhat)),  xhat = x inv_rms
template <class T>
void rmsnorm_backward_input(MatrixView<const T> dy,      // (rows, cols)
                            MatrixView<const T> x,       // (rows, cols)
                            const T* gamma,              // (cols)
                            const T* inv_rms,            // (rows)
                            MatrixView<T> dx) noexcept;  // (rows, cols)

// dgamma = sum_rows dy xhat
template <class T>
void rmsnorm_sums(MatrixView<const T> dy,  // (rows, cols)
                  MatrixView<const T> x,   // (rows, cols)
                  const T* inv_rms,        // (rows)
                  T* dgamma) noexcept;     // (cols)

}  // namespace fastnn
