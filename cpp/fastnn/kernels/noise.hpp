// Additive Gaussian noise.
#pragma once

#include "fastnn/kernels/random_words.hpp"

namespace fastnn {

// y = x + deviation n, n standard normal by Box and Muller: of a block's four rows the
// first two have the numbers of its words 0 and 1, the others of its words 2 and 3.
// `first_row` is the batch row of x's row 0.
template <class T>
void add_gaussian_noise(MatrixView<const T> x,  // (rows, cols)
                        double deviation,
                        const RandomKey& key,
                        Index first_row,
                        MatrixView<T> y) noexcept;  // (rows, cols), may be x

}  // namespace fastnn
