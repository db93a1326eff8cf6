#include "fastnn/core/rng.hpp"

#include <algorithm>

namespace fastnn {
namespace {

constexpr Index kBlocks = 32;
constexpr Index kChunk = 2 * kBlocks;  // a block makes two numbers of 64 bits

// partners[k] := where element begin + k goes, from 0 .. begin + k: the high half of
// the product of a random number and begin + k + 1.
void draw_partners(Index begin,
                   PhiloxKey key,
                   Purpose purpose,
                   std::uint32_t epoch,
                   Index (&partners)[kChunk]) noexcept {
    std::uint32_t words[4][kBlocks];
    for (Index k = 0; k < kBlocks; ++k) {
        const auto block = static_cast<std::uint64_t>(begin / 2 + k);
        words[0][k] = static_cast<std::uint32_t>(block);
        words[1][k] = static_cast<std::uint32_t>(block >> 32);
        words[2][k] = stream_of(purpose);
        words[3][k] = epoch;
    }
    philox4x32(words, key);
    for (Index k = 0; k < kChunk; ++k) {
        const Index word = k % 2 * 2;
        const std::uint64_t u =
            words[word][k / 2] | std::uint64_t{words[word + 1][k / 2]} << 32;
        __extension__ using Wide = unsigned __int128;
        const auto choices = static_cast<std::uint64_t>(begin + k + 1);
        partners[k] =
            static_cast<Index>(static_cast<std::uint64_t>((Wide{u} * choices) >> 64));
    }
}

}  // namespace

void permutation(VectorView<Index> order,
                 std::uint64_t seed,
                 Purpose purpose,
                 std::uint32_t epoch,
                 const std::function<bool()>& interrupted) {
    constexpr Index kChunks = 4096;  // some milliseconds
    for (Index i = 0; i < order.size; ++i) order[i] = i;
    const PhiloxKey key(seed);
    Index partners[kChunk];
    for (Index begin = (order.size - 1) / kChunk * kChunk; begin >= 0;
         begin -= kChunk) {
        if (begin / kChunk % kChunks == 0 && interrupted && interrupted()) return;
        draw_partners(begin, key, purpose, epoch, partners);
        // A long order lies far from the core: its elements are asked for all at once.
        for (const Index j : partners) __builtin_prefetch(order.data + j, 1);
        const Index last = std::min(begin + kChunk, order.size) - 1;
        for (Index i = last; i >= std::max<Index>(begin, 1); --i) {
            std::swap(order[i], order[partners[i - begin]]);
        }
    }
}

}  // namespace fastnn
