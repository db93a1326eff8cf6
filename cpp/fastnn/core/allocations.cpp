// The linker sends every allocation of this module, Eigen's and the C++ runtime's
// included, through the wrappers below (-Wl,--wrap=...): count, then allocate.
#include "fastnn/core/allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace {

std::atomic<std::uint64_t> allocations{0};

// The allocations that fail: those whose number is in [first, first + count). Numbers
// begin at 1, so at first none does.
std::atomic<std::uint64_t> first_to_fail{0};
std::atomic<std::uint64_t> count_to_fail{0};

// Counts this allocation. False: it is one of those that fail.
[[maybe_unused]] bool count() noexcept {
    const std::uint64_t number =
        allocations.fetch_add(1, std::memory_order_relaxed) + 1;
    // One comparison: a number below the first wraps round to a very large one.
    return number - first_to_fail.load(std::memory_order_relaxed) >=
           count_to_fail.load(std::memory_order_relaxed);
}

[[maybe_unused]] void* no_memory() noexcept {
    errno = ENOMEM;
    return nullptr;
}

}  // namespace

std::uint64_t fastnn::allocation_count() noexcept {
    return allocations.load(std::memory_order_relaxed);
}

void fastnn::fail_allocations(std::uint64_t n, std::uint64_t count) noexcept {
    count_to_fail.store(0, std::memory_order_relaxed);
    first_to_fail.store(allocation_count() + n, std::memory_order_relaxed);
    if (n > 0) count_to_fail.store(count, std::memory_order_relaxed);
}

#ifdef FASTNN_COUNT_ALLOCATIONS
extern "C" {

void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* old, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
int __real_posix_memalign(void** out, std::size_t alignment, std::size_t size);

void* __wrap_malloc(std::size_t size) {
    return count() ? __real_malloc(size) : no_memory();
}
void* __wrap_calloc(std::size_t n, std::size_t size) {
    return count() ? __real_calloc(n, size) : no_memory();
}
void* __wrap_realloc(void* old, std::size_t size) {
    return count() ? __real_realloc(old, size) : no_memory();
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    return count() ? __real_aligned_alloc(alignment, size) : no_memory();
}
int __wrap_posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    return count() ? __real_posix_memalign(out, alignment, size) : ENOMEM;
}

}  // extern "C"
#endif
