// Softmax of rows, in place.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// y_ij := exp(y_ij - max_j y_ij) / sum_j exp(y_ij - max_j y_ij)
template <class T>
void softmax_rows(MatrixView<T> y) noexcept;  // (rows, classes)

}  // namespace fastnn
