// Penalties on the weights of dense layers; biases and normalisation are left alone.
#pragma once

#include "fastnn/nn/pass.hpp"

namespace fastnn {

// l1 sum |w| + l2/2 sum w^2, added to the mean loss of a batch.
struct Penalty {
    double l1 = 0.0;
    double l2 = 0.0;

    bool none() const noexcept { return l1 == 0 && l2 == 0; }
    // Its share in a batch of this weight; none in a batch without weight.
    Penalty over(double weight) const noexcept {
        return weight > 0 ? Penalty{l1 / weight, l2 / weight} : Penalty{};
    }
};

// Of the weights of a slice; 0 if they are not penalised.
//
// With weight normalisation the weights are w_i = g_i v_i / |v_i|: the penalty of row i
// is l1 |g_i| sum |v_i| / |v_i| + l2/2 g_i^2, whatever the length of v_i.
template <class T>
double penalty_value(const Penalty& penalty,
                     const T* parameters,
                     const ParameterTile& tile) noexcept;

// d += derivative of penalty_value: l1 sign(w) + l2 w where w is a parameter
template <class T>
void add_penalty_gradient(const Penalty& penalty,
                          const T* parameters,
                          const ParameterTile& tile,
                          const TileGradient<T>& d) noexcept;

// Rows longer than `limit` are scaled back to it: the incoming weights of each unit
// (Srivastava et al. 2014). With weight normalisation their lengths are limited.
template <class T>
void limit_norms(T* parameters, const ParameterTile& tile, double limit) noexcept;

// g := min(max(g, -limit), limit)
template <class T>
void clip_values(VectorView<T> g, double limit) noexcept;

}  // namespace fastnn
