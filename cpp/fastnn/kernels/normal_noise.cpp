#include "fastnn/kernels/normal_noise.hpp"

#include <algorithm>

#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/box_muller.hpp"

namespace fastnn {
namespace {

using simd::for_each;

constexpr Index kBlocks = 16;          // whose numbers are drawn together
constexpr Index kChunk = 4 * kBlocks;  // numbers they make

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
        for (Index k = 0; k < kBlocks; ++k)
            z[word][k] = open_fraction<T>(words[word][k]);
    }
    for (Index word = 0; word < 4; word += 2) {
        for_each<T>(kBlocks, [&](auto at) {
            const BoxMuller<T> pair(at.load(z[word]), at.load(z[word + 1]));
            at.store(z[word], pair.first());
            at.store(z[word + 1], pair.second());
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
