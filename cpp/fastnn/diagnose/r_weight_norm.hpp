// The R-operator through weight normalisation, w = g u of each row, u = v / |v|, along
// (rv, rg). With s = |v|:
//   R{u} = (rv - u (u . rv)) / s
// A row of zeros has no direction: w and all derivatives are 0.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// R{w} = rg u + g R{u}
void weight_norm_r_forward(MatrixView<const double> v,   // (units, in)
                           VectorView<const double> g,   // (units)
                           MatrixView<const double> rv,  // (units, in)
                           VectorView<const double> rg,  // (units)
                           MatrixView<double> rw);       // (units, in)

// From dL/dw and R{dL/dw}, added to what is there: with e = dw - (dw . u) u
//   R{dg} += R{dw} . u + dw . R{u}
//   R{dv} += (rg / s - g (u . rv) / s^2) e + g / s R{e}
void weight_norm_r_backward(MatrixView<const double> v,    // (units, in)
                            VectorView<const double> g,    // (units)
                            MatrixView<const double> rv,   // (units, in)
                            VectorView<const double> rg,   // (units)
                            MatrixView<const double> dw,   // (units, in), or empty: 0
                            MatrixView<const double> rdw,  // (units, in)
                            MatrixView<double> rdv,        // (units, in)
                            VectorView<double> rdg);       // (units)

}  // namespace fastnn
