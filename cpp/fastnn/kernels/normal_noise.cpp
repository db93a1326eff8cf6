#include "fastnn/kernels/normal_noise.hpp"

#include <algorithm>
#include <numbers>

#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

using simd::for_each;
using simd::Vec;

constexpr Index kBlocks = 16;          // whose numbers are drawn together
constexpr Index kChunk = 4 * kBlocks;  // numbers they make

// (w + 1/2) / 2^32, or with the bits that float has room for (w / 2^9 + 1/2) / 2^23:
// above 0 and below 1.
template <class T>
T fraction(std::uint32_t w) noexcept {
    if constexpr (std::is_same_v<T, float>) {
        return (static_cast<T>(w >> 9) + T(0.5)) * T(0x1p-23);
    } else {
        return (static_cast<T>(w) + T(0.5)) * T(0x1p-32);
    }
}

// z[word][block] of blocks `begin` to begin + kBlocks. All of them are made, whichever
// are wanted: a number's bits depend on its position alone.
template <class T>
void draw(Index begin, const RandomKey& key, T (&z)[4][kBlocks]) noexcept {
    std::uint32_t words[4][kBlocks];
    for (Index k = 0; k < kBlocks; ++k) {
        const auto block = static_cast<std::uint64_t>(begin + k);
        words[0][k] = static_cast<std::uint32_t>(block);
        words[1][k] = static_cast<std::uint32_t>(block >> 32);
        words[2][k] = key.stream;
        words[3][k] = key.step;
    }
    philox4x32(words, PhiloxKey(key.seed));
    for (Index word = 0; word < 4; ++word) {
        for (Index k = 0; k < kBlocks; ++k) z[word][k] = fraction<T>(words[word][k]);
    }
    for (Index word = 0; word < 4; word += 2) {
        for_each<T>(kBlocks, [&](auto at) {
            const Vec<T> radius = sqrt(Vec<T>(-2) * log(at.load(z[word])));
            const Vec<T> angle = Vec<T>(2 * std::numbers::pi) * at.load(z[word + 1]);
            at.store(z[word], radius * cos(angle));
            at.store(z[word + 1], radius * sin(angle));
        });
    }
}

}  // namespace

template <class T>
void add_normal_noise(VectorView<T> g,
                      double deviation,
                      const RandomKey& key,
                      Index first) noexcept {
    const T scale = static_cast<T>(deviation);
    T z[4][kBlocks];
    for (Index i = 0; i < g.size;) {
        const Index chunk = (first + i) / kChunk * kChunk;
        draw(chunk / 4, key, z);
        const Index end = std::min(g.size, chunk + kChunk - first);
        for (; i < end; ++i) {
            const Index j = first + i - chunk;
            g.data[i] += scale * z[j % 4][j / 4];
        }
    }
}

template void add_normal_noise<float>(VectorView<float>,
                                      double,
                                      const RandomKey&,
                                      Index) noexcept;
template void add_normal_noise<double>(VectorView<double>,
                                       double,
                                       const RandomKey&,
                                       Index) noexcept;

}  // namespace fastnn
