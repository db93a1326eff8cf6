// Rectifier with a learned slope (He et al. 2015).
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// y = x > 0 ? x : a x, with one slope a for all columns or one for each
template <class T>
void prelu_forward(MatrixView<const T> x,      // (rows, cols)
                   VectorView<const T> a,      // (1) or (cols)
                   MatrixView<T> y) noexcept;  // (rows, cols), may be x

// dx = x > 0 ? dy : a dy
template <class T>
void prelu_backward_input(MatrixView<const T> dy,      // (rows, cols)
                          MatrixView<const T> x,       // (rows, cols)
                          VectorView<const T> a,       // (1) or (cols)
                          MatrixView<T> dx) noexcept;  // (rows, cols)

// da = sum of x dy over the rows, and the columns that share a slope, where x <= 0
template <class T>
void prelu_slope_gradient(MatrixView<const T> dy,      // (rows, cols)
                          MatrixView<const T> x,       // (rows, cols)
                          VectorView<T> da) noexcept;  // (1) or (cols)

}  // namespace fastnn
