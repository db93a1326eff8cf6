// A small team of threads that lives for one call.
//
// Work comes as a Job: stages of independent tiles, and between two stages a short
// sequential part. The calling thread is rank 0 and alone runs the sequential part, so
// whatever touches Python stays on it. A job looks like
//
//   struct Job {
//       Index tiles() const;                  // of the current stage
//       void run(Index tile, int rank);       // any thread
//       bool advance();                       // rank 0 alone; false when all is done
//       bool interrupted();                   // rank 0, before each tile: true drops
//   };                                        // the stage's tiles not yet begun
//
// Tiles are handed out as threads become free, so results must not depend on who ran
// which. Threads are joined before run_job returns: fork is safe at any other time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "fastnn/core/stack.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

// Threads to use when the caller names none: set_default_threads, else
// FASTNN_NUM_THREADS, else OMP_NUM_THREADS, else the processors this process may use
// (affinity and cgroup).
int default_threads();
void set_default_threads(int n);  // 0: back to the environment
// n if positive, else default_threads().
int resolve_threads(int n);

// Flushes denormal numbers to zero on this thread; the destructor restores its mode.
class FlushDenormals {
public:
    FlushDenormals() noexcept;
    ~FlushDenormals();
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
    unsigned long saved_;
};

namespace detail {

// Passes the time while `watched` still holds `seen`: spins for some microseconds, then
// yields, then sleeps until the value is changed and notified.
void relax(int& turns, const std::atomic<std::uint32_t>& watched, std::uint32_t seen);

// The tiles of one stage after another, handed out as threads ask. A stage is over when
// its tiles are done, not when all threads have come by: one that the system has put to
// sleep delays nobody, unless it holds a tile.
class TileQueue {
public:
    static constexpr Index kNone = -1;

    // The next tile of the current stage, or kNone. What was written before begin() is
    // visible to whoever gets a tile.
    Index claim() noexcept {
        if (!has_more(state_.load(std::memory_order_relaxed))) return kNone;
        const std::uint64_t state = state_.fetch_add(1, std::memory_order_acq_rel);
        return has_more(state) ? static_cast<Index>(next_of(state)) : kNone;
    }
    void finish_one() noexcept {
        done_.fetch_add(1, std::memory_order_release);
        done_.notify_one();
    }
    // Waits for another stage than `seen`.
    std::uint32_t stage() const noexcept {
        return stage_.load(std::memory_order_acquire);
    }
    void wait_for_stage_after(std::uint32_t seen) const {
        int turns = 0;
        while (stage() == seen) relax(turns, stage_, seen);
    }

    // Rank 0 only:
    void begin(Index tiles) noexcept {
        done_.store(0, std::memory_order_relaxed);
        state_.store(static_cast<std::uint64_t>(tiles) << 32,
                     std::memory_order_release);
        stage_.fetch_add(1, std::memory_order_release);
        stage_.notify_all();
    }
    // Waits until every tile handed out is done, with no more to hand out.
    void wait_until_done() {
        const std::uint64_t state = state_.exchange(0, std::memory_order_acq_rel);
        const std::uint32_t claimed = std::min(next_of(state), tiles_of(state));
        int turns = 0;
        for (;;) {
            const std::uint32_t n = done_.load(std::memory_order_acquire);
            if (n == claimed) return;
            relax(turns, done_, n);
        }
    }

private:
    // How many tiles the stage has, and the next to hand out, in one word: a claim that
    // comes late sees either both of the old stage or both of the new.
    static std::uint32_t tiles_of(std::uint64_t state) noexcept {
        return static_cast<std::uint32_t>(state >> 32);
    }
    static std::uint32_t next_of(std::uint64_t state) noexcept {
        return static_cast<std::uint32_t>(state);
    }
    static bool has_more(std::uint64_t state) noexcept {
        return next_of(state) < tiles_of(state);
    }

    alignas(64) std::atomic<std::uint64_t> state_{0};
    alignas(64) std::atomic<std::uint32_t> done_{0};
    alignas(64) std::atomic<std::uint32_t> stage_{0};
};

}  // namespace detail

namespace detail {

// Without company nothing is handed out: the stages are plain loops.
template <class Job>
void run_job_alone(Job& job) {
    const auto run_stage = [&] {
        const FlushDenormals flush;
        const Index tiles = job.tiles();
        for (Index i = 0; i < tiles && !job.interrupted(); ++i) job.run(i, 0);
    };
    do {
        run_stage();
    } while (job.advance());
}

}  // namespace detail

// Runs the job's stages on n_threads threads until advance() returns false. The first
// exception of run() or advance() ends the job and is thrown here; so is, before
// anything runs, that this thread has too small a stack.
template <class Job>
void run_job(int n_threads, Job& job) {
    require_stack();
    if (n_threads <= 1) return detail::run_job_alone(job);
    detail::TileQueue queue;
    std::atomic<bool> over{false};
    std::exception_ptr error;
    std::atomic_flag failed;  // whoever sets it writes `error`, before its tile is done

    const auto run_tile = [&](Index tile, int rank) noexcept {
        try {
            if (!failed.test(std::memory_order_relaxed)) job.run(tile, rank);
        } catch (...) {
            if (!failed.test_and_set()) error = std::current_exception();
        }
        queue.finish_one();
    };
    const auto help = [&](int rank) {
        const FlushDenormals flush;
        while (!over.load(std::memory_order_acquire)) {
            const std::uint32_t stage = queue.stage();
            for (Index tile; (tile = queue.claim()) != queue.kNone;) {
                run_tile(tile, rank);
            }
            if (!over.load(std::memory_order_acquire))
                queue.wait_for_stage_after(stage);
        }
    };
    const auto run_stage = [&] {
        const FlushDenormals flush;
        queue.begin(job.tiles());
        while (!job.interrupted()) {
            const Index tile = queue.claim();
            if (tile == queue.kNone) break;
            run_tile(tile, 0);
        }
        queue.wait_until_done();
    };

    std::vector<std::thread> others;
    others.reserve(static_cast<std::size_t>(std::max(n_threads - 1, 0)));
    try {
        for (int rank = 1; rank < n_threads; ++rank) others.emplace_back(help, rank);
    } catch (const std::exception&) {
        // The system grants no more threads, or no memory for one: those that began do
        // the work.
    }
    try {
        do {
            run_stage();
        } while (!error && job.advance());
    } catch (...) {
        error = std::current_exception();
    }
    over.store(true, std::memory_order_release);
    queue.begin(0);  // wakes those that wait
    for (std::thread& t : others) t.join();
    if (error) std::rethrow_exception(error);
}

// One stage: body(tile, rank) for every tile.
template <class Body>
void parallel_for(int n_threads, Index tiles, const Body& body) {
    struct Job {
        Index n;
        const Body& body;
        Index tiles() const { return n; }
        void run(Index tile, int rank) const { body(tile, rank); }
        bool advance() const { return false; }
        bool interrupted() const { return false; }
    };
    const Index useful = tiles < 1 ? 1 : tiles;
    Job job{tiles, body};
    run_job(useful < n_threads ? static_cast<int>(useful) : n_threads, job);
}

}  // namespace fastnn
