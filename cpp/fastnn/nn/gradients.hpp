// The loss of a data set and its gradient, with nothing changed.
#pragma once

#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/nn/regularizer.hpp"

namespace fastnn {

// Mean loss plus penalty over all samples as one batch; `gradients` gets its derivative
// in the layout of the flat parameters. In training mode BatchNorm uses the batch's
// statistics (a frozen one its running ones) and dropout the masks of the next training
// step. Frozen layers have gradients here as all others.
template <class T>
double loss_and_gradients(const Network<T>& network,
                          const Loss& loss,
                          const Samples<T>& samples,
                          bool training,
                          const Penalty& penalty,
                          int n_threads,
                          T* gradients);  // (n_parameters)

}  // namespace fastnn
