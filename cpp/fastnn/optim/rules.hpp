// The registry of update rules. A rule's parts are told in rules/rule.hpp.
#pragma once

#include <optional>
#include <type_traits>
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
// Where a rule keeps what a schedule may change, or null. NAdam's momentum follows a
// schedule of its own.
template <class R>
double* weight_decay_in(R& rule) {
    if constexpr (requires { rule.weight_decay; }) return &rule.weight_decay;
    return nullptr;
}
template <class R>
double* momentum_in(R& rule) {
    if constexpr (std::is_same_v<R, Nadam>) {
        return nullptr;
    } else if constexpr (requires { rule.momentum; }) {
        return &rule.momentum;
    } else if constexpr (requires { rule.betas; }) {
        return &rule.betas[0];
    }
    return nullptr;
}
// The rule's own; none: it has no such setting.
inline std::optional<double> weight_decay_of(Rule rule) {
    const double* own = std::visit([](auto& r) { return weight_decay_in(r); }, rule);
    return own ? std::optional(*own) : std::nullopt;
}
inline std::optional<double> momentum_of(Rule rule) {
    const double* own = std::visit([](auto& r) { return momentum_in(r); }, rule);
    return own ? std::optional(*own) : std::nullopt;
}
inline void validate(const Rule& rule) {
    std::visit([](const auto& r) { r.validate(); }, rule);
}

}  // namespace fastnn::optim
