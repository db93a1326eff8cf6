// Initial weights of a dense layer.
#pragma once

#include <string>
#include <vector>

#include "fastnn/core/rng.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

// auto, he_normal, he_uniform, glorot_normal, glorot_uniform, lecun_normal, orthogonal,
// torch, zeros
const std::vector<std::string>& init_names();

struct InitialWeights {
    std::string scheme = "auto";
    bool before_rectifier = false;
    Index pieces = 1;  // of which the largest counts: Maxout
};

// Fills w (out, in) and b (out; may be empty) by the named scheme. "auto" is he_normal
// where a rectifier follows, normal of variance 1 / (M in) before Maxout and
// glorot_uniform elsewhere; M = E(max^2) of as many standard normal numbers as there
// are pieces: the mean square of the outputs is that of the inputs, as He has it.
//   he       He et al. 2015           variance 2 / in
//   glorot   Glorot & Bengio 2010     variance 2 / (in + out)
//   lecun    LeCun et al. 1998        variance 1 / in
//   orthogonal  Saxe et al. 2014      rows (or columns) orthonormal
//   torch    nn.Linear's own          w and b uniform in +-1 / sqrt(in)
// Biases are zero but for "torch".
template <class T>
void initialise_dense(const InitialWeights& how,
                      MatrixView<T> w,
                      VectorView<T> b,
                      Generator random);

}  // namespace fastnn
