// Running statistics of BatchNorm layers computed anew, for weights that no step made.
#pragma once

#include <functional>

#include "fastnn/nn/batch_pass.hpp"

namespace fastnn {

// Passes over the samples in their order, in training mode, and sets running statistics
// to the mean of the batches' and counters to their number, as torch's update_bn does.
// Batches of one row have no variance and are left out; so are frozen layers. False:
// interrupted, with the statistics half done.
template <class T>
bool renew_statistics(Network<T>& network,
                      const Samples<T>& samples,
                      const Loss& loss,
                      Index batch_size,
                      int n_threads,
                      const std::function<bool()>& interrupted);

}  // namespace fastnn
