// The registry of update rules. A rule's parts are told in rules/rule.hpp.
#pragma once

#include <variant>

#include "fastnn/optim/rules/adagrad_family.hpp"
#include "fastnn/optim/rules/adam_family.hpp"
#include "fastnn/optim/rules/adam_variants.hpp"
#include "fastnn/optim/rules/gradient_descent.hpp"
#include "fastnn/optim/rules/sign_family.hpp"

namespace fastnn::optim {

using Rule = std::variant<Sgd,
                          Adagrad,
                          Rmsprop,
                          Adadelta,
                          Adam,
                          AdamW,
                          Adamax,
                          Nadam,
                          Radam,
                          Rprop,
                          Asgd,
                          Lion>;

inline Slots slots_of(const Rule& rule) {
    return std::visit([](const auto& r) { return r.slots(); }, rule);
}
inline double lr_of(const Rule& rule) {
    return std::visit([](const auto& r) { return r.lr; }, rule);
}
inline void validate(const Rule& rule) {
    std::visit([](const auto& r) { r.validate(); }, rule);
}

}  // namespace fastnn::optim
