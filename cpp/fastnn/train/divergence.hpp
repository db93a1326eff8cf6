// The end of a run that left the finite numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>

#include "fastnn/core/types.hpp"

namespace fastnn {

// Where and how a run left the finite numbers.
struct Divergence {
    Index epoch;
    std::int64_t step;  // of this fit, from 0
    double lr;
    std::string what;  // "the loss became nan"
};

// "the loss became inf"
inline std::string became(const std::string& name, double value) {
    std::ostringstream text;
    text << name << " became ";
    if (std::isnan(value)) {
        text << "nan";  // whatever its sign
    } else {
        text << value;
    }
    return text.str();
}

// The loss of a step that cannot go on; if it is finite, its gradient is not.
inline std::string loss_broke(double value) {
    return std::isfinite(value) ? "the gradient became infinite or nan"
                                : became("the loss", value);
}

}  // namespace fastnn
