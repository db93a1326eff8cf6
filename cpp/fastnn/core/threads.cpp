#include "fastnn/core/threads.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#include "fastnn/core/error.hpp"

namespace fastnn {
namespace {

std::atomic<int> chosen_threads{0};

// Positive integer in an environment variable, else 0. OMP_NUM_THREADS may be a list.
int threads_from_environment(const char* name) {
    const char* text = std::getenv(name);
    if (!text) return 0;
    return static_cast<int>(std::clamp(std::strtol(text, nullptr, 10), 0L, 1024L));
}

int usable_processors() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Processors the cgroup (v2) grants, rounded up; a container's limit. 0: no limit
// known.
int cgroup_quota() {
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
    return static_cast<int>((std::strtod(quota.c_str(), nullptr) + period - 1) /
                            period);
}

int threads_of_machine() {
    const int quota = cgroup_quota();
    const int processors = usable_processors();
    return quota > 0 ? std::min(quota, processors) : processors;
}

#if defined(__x86_64__)
constexpr unsigned long kFlushBits = 0x8040;  // flush-to-zero, denormals-are-zero
unsigned long float_mode() noexcept { return _mm_getcsr(); }
void set_float_mode(unsigned long mode) noexcept {
    _mm_setcsr(static_cast<unsigned>(mode));
}
#elif defined(__aarch64__)
constexpr unsigned long kFlushBits = 1ul << 24;
unsigned long float_mode() noexcept {
    unsigned long mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
void set_float_mode(unsigned long mode) noexcept {
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}
#else
constexpr unsigned long kFlushBits = 0;
unsigned long float_mode() noexcept { return 0; }
void set_float_mode(unsigned long) noexcept {}
#endif

void pause() noexcept {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

}  // namespace

int default_threads() {
    if (const int n = chosen_threads.load()) return n;
    if (const int n = threads_from_environment("FASTNN_NUM_THREADS")) return n;
    if (const int n = threads_from_environment("OMP_NUM_THREADS")) return n;
    static const int machine = threads_of_machine();
    return machine;
}

void set_default_threads(int n) {
    require(n >= 0 && n <= 1024, "n_threads", n, "an integer from 0 to 1024");
    chosen_threads.store(n);
}

int resolve_threads(int n) {
    require(n >= 0 && n <= 1024, "n_threads", n, "an integer from 0 to 1024");
    return n > 0 ? n : default_threads();
}

FlushDenormals::FlushDenormals() noexcept : saved_(float_mode()) {
    set_float_mode(saved_ | kFlushBits);
}

FlushDenormals::~FlushDenormals() { set_float_mode(saved_); }

// A stage is often over within microseconds: spinning beats the kernel's wake-up by
// far. Yielding lets the others run where processors are fewer than threads; a long
// wait, such as a slow callback, must not burn one.
void detail::relax(int& turns,
                   const std::atomic<std::uint32_t>& watched,
                   std::uint32_t seen) {
    constexpr int kSpins = 2000;
    constexpr int kYields = 200;
    ++turns;
    if (turns < kSpins) {
        pause();
    } else if (turns < kSpins + kYields) {
        std::this_thread::yield();
    } else {
        watched.wait(seen, std::memory_order_acquire);
    }
}

}  // namespace fastnn
