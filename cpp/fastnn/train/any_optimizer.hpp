// The optimizer of a trainer in motion, whichever it is, and its state as named arrays.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fastnn/optim/lbfgs_minimizer.hpp"
#include "fastnn/optim/method.hpp"
#include "fastnn/optim/optimizer.hpp"

namespace fastnn {

template <class T>
using AnyOptimizer = std::variant<optim::Optimizer<T>, optim::LbfgsMinimizer<T>>;

// Arrays as long as the parameters: the slots of a rule by their names; of L-BFGS its
// pairs from the oldest to the newest, "s.0", "y.0", "s.1", ...
template <class T>
using NamedSlots = std::vector<std::pair<std::string, Buffer<T>>>;

template <class T>
AnyOptimizer<T> make_optimizer(const optim::Method& method, Index n_parameters);

// Steps begun over all calls.
template <class T>
std::int64_t steps_of(const AnyOptimizer<T>& optimizer);

template <class T>
NamedSlots<T> slots_of(const AnyOptimizer<T>& optimizer);

// Goes on as the optimizer of these slots would after so many steps. Throws before
// anything is changed if they are not an optimizer's like this one.
template <class T>
void restore(AnyOptimizer<T>& optimizer,
             std::int64_t steps,
             const NamedSlots<T>& slots);

}  // namespace fastnn
