// Every way to train: a rule makes a step of one gradient, L-BFGS minimises the loss of
// all rows it is given.
#pragma once

#include <variant>

#include "fastnn/optim/lbfgs.hpp"
#include "fastnn/optim/rules.hpp"

namespace fastnn::optim {

using Method = std::variant<Rule, Lbfgs>;

inline double lr_of(const Method& method) {
    if (const auto* lbfgs = std::get_if<Lbfgs>(&method)) return lbfgs->lr;
    return lr_of(std::get<Rule>(method));
}

}  // namespace fastnn::optim
