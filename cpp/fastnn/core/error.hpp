// One way to refuse a value: name the argument, show what was got, say what is
// expected.
#pragma once

#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

namespace fastnn {

// Throws std::invalid_argument (ValueError in Python) unless `ok`:
//   "lr must be a finite number >= 0, got -1"
template <class Value>
void require(bool ok,
             const std::string& argument,
             const Value& got,
             const std::string& expected) {
    if (ok) return;
    std::ostringstream message;
    message.precision(12);
    message << std::boolalpha << argument << " must be " << expected << ", got " << got;
    throw std::invalid_argument(message.str());
}

inline void require_finite(const std::string& argument, double value) {
    require(std::isfinite(value), argument, value, "a finite number");
}

inline void require_positive(const std::string& argument, double value) {
    require(std::isfinite(value) && value > 0, argument, value, "a finite number > 0");
}

inline void require_not_negative(const std::string& argument, double value) {
    require(std::isfinite(value) && value >= 0, argument, value,
            "a finite number >= 0");
}

// Decay rates such as beta: 0 <= value < 1.
inline void require_below_one(const std::string& argument, double value) {
    require(value >= 0 && value < 1, argument, value, "in [0, 1)");
}

inline void require_fraction(const std::string& argument, double value) {
    require(value >= 0 && value <= 1, argument, value, "in [0, 1]");
}

}  // namespace fastnn
