// The heap allocations of this module: how many there were, which is what "a training
// step allocates nothing" is tested with, and a way to let some fail, which shows that
// running out of memory anywhere is an error and nothing worse.
#pragma once

#include <cstdint>

namespace fastnn {

std::uint64_t allocation_count() noexcept;

// From now on the n-th allocation of this module fails, on whichever thread it comes,
// and `count` - 1 after it. n = 0: none does.
void fail_allocations(std::uint64_t n, std::uint64_t count) noexcept;

}  // namespace fastnn
