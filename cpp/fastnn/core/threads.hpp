// A small team of threads that lives for one call.
//
// Work comes as a Job: stages of independent tiles, and between two stages a short
// sequential part. The calling thread is rank 0 and alone runs the sequential part, so
// whatever touches Python stays on it. A job looks like
//
//   struct Job {
//       Index tiles() const;                  // of the current stage
//       void run(Index tile, int rank);       // any thread; must not throw
//       bool advance();                       // rank 0 alone; false when all is done
//       bool interrupted();                   // rank 0, before each tile; true drops
//       the
//   };                                        // tiles of this stage not yet begun
//
// Tiles are handed out as threads become free, so results must not depend on who ran
// which. Threads are joined before run_job returns: fork is safe at any other time.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

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

// Waits until done() holds: spins for some microseconds, then yields, then sleeps on
// the atomic that `done` watches.
void relax(int& turns, const std::atomic<std::uint32_t>& watched, std::uint32_t seen);

// Where the threads of a team meet. Rank 0 waits for the others, works alone, and
// opens.
class Gate {
public:
    void expect(int others) noexcept { others_ = others; }  // rank 0, before it waits

    void arrive_and_wait() noexcept {  // every rank but 0
        const std::uint32_t seen = opened_.load(std::memory_order_acquire);
        arrived_.fetch_add(1, std::memory_order_release);
        arrived_.notify_one();
        int turns = 0;
        while (opened_.load(std::memory_order_acquire) == seen) {
            relax(turns, opened_, seen);
        }
    }
    void wait_for_others() noexcept {  // rank 0
        int turns = 0;
        for (;;) {
            const std::uint32_t n = arrived_.load(std::memory_order_acquire);
            if (n == static_cast<std::uint32_t>(others_)) break;
            relax(turns, arrived_, n);
        }
        arrived_.store(0, std::memory_order_relaxed);
    }
    void open() noexcept {  // rank 0
        opened_.fetch_add(1, std::memory_order_release);
        opened_.notify_all();
    }

private:
    int others_ = 0;
    alignas(64) std::atomic<std::uint32_t> arrived_{0};
    alignas(64) std::atomic<std::uint32_t> opened_{0};
};

}  // namespace detail

// Runs the job's stages on n_threads threads until advance() returns false. An
// exception of advance() ends the job and is thrown here.
template <class Job>
void run_job(int n_threads, Job& job) {
    alignas(64) std::atomic<Index> next{0};
    detail::Gate gate;
    Index tiles = job.tiles();
    bool more = true;

    const auto work = [&](int rank) {
        for (;;) {
            if (rank == 0 && job.interrupted()) {
                next.store(tiles, std::memory_order_relaxed);
                break;
            }
            const Index tile = next.fetch_add(1, std::memory_order_relaxed);
            if (tile >= tiles) break;
            job.run(tile, rank);
        }
    };
    std::vector<std::thread> others;
    try {
        for (int rank = 1; rank < n_threads; ++rank) {
            others.emplace_back([&, rank] {
                const FlushDenormals flush;
                while (more) {
                    work(rank);
                    gate.arrive_and_wait();
                }
            });
        }
    } catch (const std::system_error&) {
        // The system grants no more threads: those that began do the work.
    }
    gate.expect(static_cast<int>(others.size()));
    std::exception_ptr error;
    while (more) {
        {
            const FlushDenormals flush;
            work(0);
        }
        gate.wait_for_others();
        try {
            more = job.advance();
        } catch (...) {
            error = std::current_exception();
            more = false;
        }
        tiles = job.tiles();
        next.store(0, std::memory_order_relaxed);
        gate.open();
    }
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
