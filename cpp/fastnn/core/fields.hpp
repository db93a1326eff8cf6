// Static reflection of configuration structs. A config names its members once:
//
//   struct Dropout {
//       static constexpr const char* kKind = "dropout";
//       double p = 0.5;
//       static constexpr auto fields() { return std::tuple{field("p", &Dropout::p)}; }
//       void validate() const;
//   };
//
// and is from then on readable from a Python dict (bindings/config_from_dict.hpp).
#pragma once

#include <tuple>

namespace fastnn {

template <class Config, class Value>
struct Field {
    const char* name;
    Value Config::* member;
};

template <class Config, class Value>
constexpr Field<Config, Value> field(const char* name, Value Config::* member) {
    return {name, member};
}

// Calls visit(name, member reference) for every field of `config`.
template <class Config, class Visit>
void for_each_field(Config& config, Visit&& visit) {
    std::apply([&](const auto&... f) { (visit(f.name, config.*(f.member)), ...); },
               std::remove_const_t<Config>::fields());
}

}  // namespace fastnn
