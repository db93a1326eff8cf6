// Weight normalisation (Salimans & Kingma 2016): the length of each row of weights is a
// parameter of its own. Rows do not meet: a slice has the same bits as all of them.
//
// A row v_i of zeros has no direction: w_i is 0 then, and so are both derivatives.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// w_i = g_i v_i / |v_i|
template <class T>
void weight_norm_forward(MatrixView<const T> v,      // (units, in)
                         VectorView<const T> g,      // (units)
                         MatrixView<T> w) noexcept;  // (units, in)

// dg_i = dw_i . v_i / |v_i|,  dv_i = g_i / |v_i| (dw_i - dg_i v_i / |v_i|)
template <class T>
void weight_norm_backward(MatrixView<const T> v,       // (units, in)
                          VectorView<const T> g,       // (units)
                          MatrixView<T> dw,            // (units, in), becomes dv
                          VectorView<T> dg) noexcept;  // (units)

}  // namespace fastnn
