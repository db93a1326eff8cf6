// Additive Gaussian noise.
#pragma once

#include "fastnn/kernels/random_words.hpp"

namespace fastnn {

// y = x + deviation n, n standard normal by Box and Muller: of the words (w0, w1) and
// (w2, w3) of a block with u_i = (w_i + 1/2) / 2^32, its rows get
//   sqrt(-2 log u0) cos(2 pi u1), sqrt(-2 log u0) sin(2 pi u1), and so of u2 and u3.
// `first_row` is the batch row of x's row 0.
template <class T>
void add_gaussian_noise(MatrixView<const T> x,  // (rows, cols)
                        double deviation,
                        const RandomKey& key,
                        Index first_row,
                        MatrixView<T> y) noexcept;  // (rows, cols), may be x

}  // namespace fastnn
