// The linker sends every allocation of this module, Eigen's and the C++ runtime's
// included, through the wrappers below (-Wl,--wrap=...): count, then allocate.
#include "fastnn/core/allocations.hpp"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<std::uint64_t> allocations{0};

void count() noexcept { allocations.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

std::uint64_t fastnn::allocation_count() noexcept {
    return allocations.load(std::memory_order_relaxed);
}

#ifdef FASTNN_COUNT_ALLOCATIONS
extern "C" {

void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* old, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
int __real_posix_memalign(void** out, std::size_t alignment, std::size_t size);

void* __wrap_malloc(std::size_t size) {
    count();
    return __real_malloc(size);
}
void* __wrap_calloc(std::size_t n, std::size_t size) {
    count();
    return __real_calloc(n, size);
}
void* __wrap_realloc(void* old, std::size_t size) {
    count();
    return __real_realloc(old, size);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    count();
    return __real_aligned_alloc(alignment, size);
}
int __wrap_posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    count();
    return __real_posix_memalign(out, alignment, size);
}

}  // extern "C"
#endif
