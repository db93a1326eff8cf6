// Normal noise by Philox: a pure function of key and position, whoever adds it.
#pragma once

#include "fastnn/core/types.hpp"
#include "fastnn/kernels/random_words.hpp"

namespace fastnn {

// g[i] += deviation z[first + i], where z is an endless row of standard normal numbers
// (Box & Muller 1958). Element j is made of block j / 4 of Philox: elements 0 and 1 of
// a block of its words 0 and 1, elements 2 and 3 of its words 2 and 3.
template <class T>
void add_normal_noise(VectorView<T> g,
                      double deviation,
                      const RandomKey& key,
                      Index first) noexcept;

}  // namespace fastnn
