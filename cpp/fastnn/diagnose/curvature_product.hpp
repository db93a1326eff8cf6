// Products with the curvature of a loss: the Hessian of the mean loss of a data set
// with respect to all parameters, or its Gauss-Newton part, times a vector.
//
// Exact, by the R-operator (Pearlmutter 1994): one sweep forward and one backward,
// beside those that make the gradient. In inference mode: BatchNorm uses its running
// statistics, and chance takes no part. At corners, such as ReLU's at 0, the second
// derivative is taken for 0.
#pragma once

#include <functional>

#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/nn/regularizer.hpp"

namespace fastnn {

enum class Curvature {
    kHessian,
    // J^T H_l J, J the derivative of the outputs and H_l the loss' own Hessian with
    // respect to them (Schraudolph 2002).
    kGaussNewton
};

struct CurvatureTask {
    const Network<double>& network;
    const Loss& loss;
    Samples<double> samples;
    Curvature kind = Curvature::kHessian;
    Penalty penalty{};
};

// out := the product with v, the same bits for any number of threads. A custom loss
// is asked for its slope on both sides, on the calling thread: its curvature along R{z}
// is their difference. `interrupted` is asked between tiles, on the calling thread;
// returns false, out half-done, if it said yes.
bool curvature_product(const CurvatureTask& task,
                       VectorView<const double> v,  // (n_parameters)
                       VectorView<double> out,      // (n_parameters)
                       int n_threads,
                       const std::function<bool()>& interrupted);

}  // namespace fastnn
