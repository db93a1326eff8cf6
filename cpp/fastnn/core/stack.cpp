#include "fastnn/core/stack.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace fastnn {
namespace {

// The two copies of kernels/gemm.hpp take 88 KiB, whoever calls them little.
constexpr std::uintptr_t kNeeded = 112 << 10;

struct Stack {
    std::uintptr_t lowest = 0;
    std::uintptr_t size = 0;  // 0: not known
};

Stack stack_of_this_thread() noexcept {
    Stack stack;
#if defined(__linux__)
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return stack;
    void* lowest = nullptr;
    std::size_t size = 0;
    if (pthread_attr_getstack(&attributes, &lowest, &size) == 0) {
        stack = {reinterpret_cast<std::uintptr_t>(lowest), size};
    }
    pthread_attr_destroy(&attributes);
#elif defined(__APPLE__)
    const pthread_t self = pthread_self();
    const std::uintptr_t size = pthread_get_stacksize_np(self);
    const void* highest = pthread_get_stackaddr_np(self);
    stack = {reinterpret_cast<std::uintptr_t>(highest) - size, size};
#endif
    return stack;
}

}  // namespace

void require_stack() {
    thread_local const Stack stack = stack_of_this_thread();
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::uintptr_t left = here - stack.lowest;
    // Elsewhere than on the thread's own stack runs a coroutine: nothing is known then.
    if (left >= kNeeded || left >= stack.size) return;
    throw std::runtime_error(
        "this thread has " + std::to_string(left >> 10) + " KiB of its stack of " +
        std::to_string(stack.size >> 10) + " KiB left, but fastnn needs " +
        std::to_string(kNeeded >> 10) +
        ": call threading.stack_size(512 * 1024) before the thread is started");
}

}  // namespace fastnn
