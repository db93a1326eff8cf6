// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011).
//
// A number is a pure function of (seed, stream, step, position): masks and shuffles
// depend neither on threads nor on what was drawn before, and resuming needs no
// generator state.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>

#include "fastnn/core/types.hpp"

namespace fastnn {

using PhiloxBlock = std::array<std::uint32_t, 4>;

struct PhiloxKey {
    std::uint32_t low;
    std::uint32_t high;

    explicit PhiloxKey(std::uint64_t seed) noexcept
        : low(static_cast<std::uint32_t>(seed)),
          high(static_cast<std::uint32_t>(seed >> 32)) {}
};

// What a stream of numbers is for; `layer` tells layers of one network apart, and the
// augmentations of one fit.
enum class Purpose : std::uint32_t {
    kDropout = 1,
    kShuffle = 2,
    kInit = 3,
    kSplit = 4,
    kGradientNoise = 5,
    kDropConnect = 8,
    kNoise = 9,
    kSurvival = 10,
    kAugment = 11
};

constexpr std::uint32_t stream_of(Purpose purpose, Index layer = 0) noexcept {
    return static_cast<std::uint32_t>(purpose) << 16 |
           static_cast<std::uint32_t>(layer);
}

namespace philox {

inline constexpr std::uint32_t kMultiplier0 = 0xD2511F53u;
inline constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57u;
inline constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;
inline constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;
inline constexpr int kRounds = 10;

}  // namespace philox

// kLanes blocks at once, counters[word][lane] in, random words out in their place.
// Plain loops over the lanes, which the compiler turns into vector code if it has not
// unrolled them before.
template <Index kLanes>
void philox4x32(std::uint32_t (&counters)[4][kLanes], PhiloxKey key) noexcept {
    for (int round = 0; round < philox::kRounds; ++round) {
#pragma GCC unroll 1
        for (Index i = 0; i < kLanes; ++i) {
            const std::uint64_t p0 =
                std::uint64_t{philox::kMultiplier0} * counters[0][i];
            const std::uint64_t p1 =
                std::uint64_t{philox::kMultiplier1} * counters[2][i];
            counters[0][i] =
                static_cast<std::uint32_t>(p1 >> 32) ^ counters[1][i] ^ key.low;
            counters[2][i] =
                static_cast<std::uint32_t>(p0 >> 32) ^ counters[3][i] ^ key.high;
            counters[1][i] = static_cast<std::uint32_t>(p1);
            counters[3][i] = static_cast<std::uint32_t>(p0);
        }
        key.low += philox::kWeyl0;
        key.high += philox::kWeyl1;
    }
}

inline PhiloxBlock philox4x32(const PhiloxBlock& counter, PhiloxKey key) noexcept {
    std::uint32_t lanes[4][1] = {
        {counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}};
    philox4x32<1>(lanes, key);
    return {lanes[0][0], lanes[1][0], lanes[2][0], lanes[3][0]};
}

// A sequence of numbers from one stream, for work that is done once (initial weights).
class Generator {
public:
    Generator(std::uint64_t seed, std::uint32_t stream) noexcept
        : key_(seed), stream_(stream) {}

    std::uint64_t next() noexcept {
        if (used_ == 4) refill();
        const std::uint64_t low = block_[used_], high = block_[used_ + 1];
        used_ += 2;
        return low | high << 32;
    }
    // In [0, 1), 53 random bits.
    double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
    // Standard normal, by Box and Muller.
    double normal() noexcept {
        const double radius = std::sqrt(-2 * std::log1p(-uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

private:
    void refill() noexcept {
        block_ = philox4x32({static_cast<std::uint32_t>(position_),
                             static_cast<std::uint32_t>(position_ >> 32), stream_, 0},
                            key_);
        ++position_;
        used_ = 0;
    }

    PhiloxKey key_;
    std::uint32_t stream_;
    std::uint64_t position_ = 0;
    PhiloxBlock block_{};
    int used_ = 4;
};

// order := a random permutation of 0 .. size - 1 (Fisher and Yates), the same for the
// same (seed, purpose, epoch). `interrupted` is asked now and then, unless it is empty;
// once it is true the order is one of too few.
void permutation(VectorView<Index> order,
                 std::uint64_t seed,
                 Purpose purpose,
                 std::uint32_t epoch,
                 const std::function<bool()>& interrupted = {});

}  // namespace fastnn
