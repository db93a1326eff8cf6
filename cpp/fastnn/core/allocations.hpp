// How many heap allocations this module has made: what "a training step allocates
// nothing" is tested with.
#pragma once

#include <cstdint>

namespace fastnn {

std::uint64_t allocation_count() noexcept;

}  // namespace fastnn
