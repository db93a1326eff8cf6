// What the processor can do at most, for bench/ceilings.py: multiply-adds, streams of
// memory, and the hand-over of a stage of work from one thread to the others.
//
// Every function runs its threads for the length of the call, lets them start together
// and writes the seconds of each round, from the start to the end of the last thread.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kVectorBytes = 64;
constexpr int kChains = 24;  // of 32 registers
#elif defined(__AVX__)
constexpr std::size_t kVectorBytes = 32;
constexpr int kChains = 12;  // of 16 registers
#elif defined(__aarch64__)
constexpr std::size_t kVectorBytes = 16;
constexpr int kChains = 24;
#else
constexpr std::size_t kVectorBytes = 16;
constexpr int kChains = 12;
#endif

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(kVectorBytes), may_alias));
    static constexpr std::size_t kLanes = kVectorBytes / sizeof(T);
};

void pause() noexcept {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

// Spinning only: what is timed here is shorter than any sleep.
void wait_until(const std::atomic<std::uint32_t>& value, std::uint32_t wanted) {
    for (int turns = 0; value.load(std::memory_order_acquire) != wanted;) {
        if (++turns < 20000) {
            pause();
        } else {
            std::this_thread::yield();  // fewer processors than threads
        }
    }
}

// Rounds of work by a team; the caller is its rank 0.
class Team {
public:
    explicit Team(int threads) : others_(static_cast<std::uint32_t>(threads - 1)) {}

    // prepare(rank) on each thread, then work(rank, round) on all of them, round by
    // round.
    template <class Prepare, class Work>
    void run(int rounds, double* seconds, const Prepare& prepare, const Work& work) {
        std::vector<std::thread> team;
        for (std::uint32_t rank = 1; rank <= others_; ++rank) {
            team.emplace_back([&, rank] {
                prepare(rank);
                ready_.fetch_add(1, std::memory_order_release);
                for (int i = 1; i <= rounds; ++i) {
                    wait_until(round_, static_cast<std::uint32_t>(i));
                    work(rank, i);
                    done_.fetch_add(1, std::memory_order_release);
                }
            });
        }
        prepare(0);
        wait_until(ready_, others_);
        for (int i = 1; i <= rounds; ++i) seconds[i - 1] = time(work, i);
        for (std::thread& thread : team) thread.join();
    }

private:
    template <class Work>
    double time(const Work& work, int round) {
        const auto start = std::chrono::steady_clock::now();
        done_.store(0, std::memory_order_relaxed);
        round_.fetch_add(1, std::memory_order_release);
        work(0, round);
        wait_until(done_, others_);
        const auto end = std::chrono::steady_clock::now();
        return std::chrono::duration<double>(end - start).count();
    }

    std::uint32_t others_;
    alignas(64) std::atomic<std::uint32_t> ready_{0};
    alignas(64) std::atomic<std::uint32_t> round_{0};
    alignas(64) std::atomic<std::uint32_t> done_{0};
};

// Independent chains a <- a m + c, enough of them to hide the latency. Returns the
// operations done; m and c keep the values near 1.
template <class T>
double multiply_add(std::int64_t turns, T m, T c, T* sink) {
    using Vector = typename VectorOf<T>::type;
    Vector chains[kChains];
    for (int j = 0; j < kChains; ++j) chains[j] = Vector{} + T(1) + T(j) / T(64);
    const Vector by = Vector{} + m;
    const Vector plus = Vector{} + c;
    for (std::int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
        for (int j = 0; j < kChains; ++j) chains[j] = chains[j] * by + plus;
    }
    Vector sum{};
    for (int j = 0; j < kChains; ++j) sum += chains[j];
    for (std::size_t lane = 0; lane < VectorOf<T>::kLanes; ++lane) *sink += sum[lane];
    return 2.0 * kChains * VectorOf<T>::kLanes * static_cast<double>(turns);
}

template <class T>
double peak(int threads, int rounds, std::int64_t turns, double* seconds) {
    struct alignas(64) Line {
        T sink = 0;
        double operations = 0;
    };
    std::vector<Line> lines(static_cast<std::size_t>(threads));
    // Read at run time, so that the compiler cannot know that the values settle.
    const volatile T m = T(0.999);
    const volatile T c = T(0.001);
    const auto prepare = [](std::size_t) {};
    const auto work = [&](std::size_t rank, int) {
        Line& line = lines[rank];
        line.operations = multiply_add<T>(turns, m, c, &line.sink);
    };
    Team(threads).run(rounds, seconds, prepare, work);
    double operations = 0;
    for (const Line& line : lines) operations += line.operations;
    return operations;
}

// Three arrays read and written as Adam does: m and v decay, p follows.
class Slice {
public:
    using Vector = VectorOf<float>::type;

    explicit Slice(std::size_t vectors) : vectors_(vectors) {
        const std::size_t bytes = 3 * vectors * kVectorBytes + kVectorBytes;
        memory_.reset(new std::byte[bytes]);
        void* start = memory_.get();
        std::size_t room = bytes;
        p_ = static_cast<Vector*>(
            std::align(kVectorBytes, bytes - kVectorBytes, start, room));
        for (std::size_t i = 0; i < 3 * vectors; ++i) p_[i] = Vector{} + 1.0f;
    }

    void pass() noexcept {
        Vector* const p = p_;
        Vector* const m = p + vectors_;
        Vector* const v = m + vectors_;
#pragma GCC ivdep
        for (std::size_t i = 0; i < vectors_; ++i) {
            m[i] = m[i] * 0.9f + 0.1f;
            v[i] = v[i] * 0.999f + 0.001f;
            p[i] = p[i] - 1e-7f * m[i] * v[i];
        }
    }

private:
    std::size_t vectors_;
    std::unique_ptr<std::byte[]> memory_;
    Vector* p_ = nullptr;
};

}  // namespace

extern "C" {

// Operations of a round.
double fma_rounds_float32(int threads, int rounds, std::int64_t turns, double* out) {
    return peak<float>(threads, rounds, turns, out);
}

double fma_rounds_float64(int threads, int rounds, std::int64_t turns, double* out) {
    return peak<double>(threads, rounds, turns, out);
}

// `bytes` of arrays in all, each thread passing `passes` times over a part of them: its
// own or, when `exchange` is set, the part that its neighbour had in the round before.
// Returns the bytes read and written in a round.
double stream_rounds(int threads,
                     int rounds,
                     std::int64_t bytes,
                     std::int64_t passes,
                     int exchange,
                     double* out) {
    const auto n = static_cast<std::size_t>(threads);
    const std::size_t vectors = std::max<std::size_t>(
        1, static_cast<std::size_t>(bytes) / 3 / kVectorBytes / n);
    std::vector<std::unique_ptr<Slice>> slices(n);
    const auto prepare = [&](std::size_t rank) {
        slices[rank] = std::make_unique<Slice>(vectors);  // touched by its own thread
        slices[rank]->pass();
    };
    const auto work = [&](std::size_t rank, int round) {
        const std::size_t shift = exchange ? static_cast<std::size_t>(round) : 0;
        Slice& slice = *slices[(rank + shift) % n];
        for (std::int64_t i = 0; i < passes; ++i) slice.pass();
    };
    Team(threads).run(rounds, out, prepare, work);
    return 2.0 * 3 * static_cast<double>(vectors * kVectorBytes * n) *
           static_cast<double>(passes);
}

// Stages without work: the start is seen by all, their end by the first.
void stage_rounds(int threads, int rounds, double* out) {
    Team(threads).run(rounds, out, [](std::size_t) {}, [](std::size_t, int) {});
}
}
