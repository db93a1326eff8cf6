// Random words for the elements of a batch's rows: element (row, col) has word row % 4
// of Philox block (col, row / 4), so a row's words do not depend on its tile.
#pragma once

#include <algorithm>
#include <cstdint>

#include "fastnn/core/rng.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

// Which random numbers are drawn: equal keys give equal numbers.
struct RandomKey {
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;  // the layer, see stream_of
    std::uint32_t step = 0;
};

namespace random_words {

inline constexpr Index kLanes = 16;  // columns whose numbers are drawn together
inline constexpr Index kRowsPerBlock = 4;

using Block = std::uint32_t[kRowsPerBlock][kLanes];

// Random words of columns col .. col + kLanes for the four rows of one block.
inline void draw(Block& words, Index col, Index block, const RandomKey& key) noexcept {
    for (Index i = 0; i < kLanes; ++i) {
        words[0][i] = static_cast<std::uint32_t>(col + i);
        words[1][i] = static_cast<std::uint32_t>(block);
        words[2][i] = key.stream;
        words[3][i] = key.step;
    }
    philox4x32<kLanes>(words, PhiloxKey(key.seed));
}

}  // namespace random_words

// Calls body(row, cols, words, word) for runs of columns [cols.begin, cols.end) of each
// of `rows` rows, whose words are words[word]; `first_row` is the batch row of row 0.
template <class Body>
void for_each_word(Index rows,
                   Index cols,
                   const RandomKey& key,
                   Index first_row,
                   const Body& body) noexcept {
    using namespace random_words;
    Block words;
    for (Index block = first_row / kRowsPerBlock;
         block < ceil_div(first_row + rows, kRowsPerBlock); ++block) {
        for (Index col = 0; col < cols; col += kLanes) {
            draw(words, col, block, key);
            const Range run{col, std::min(col + kLanes, cols)};
            for (Index word = 0; word < kRowsPerBlock; ++word) {
                const Index row = block * kRowsPerBlock + word - first_row;
                if (row >= 0 && row < rows) body(row, run, words, word);
            }
        }
    }
}

}  // namespace fastnn
