#include "fastnn/kernels/dropout.hpp"

#include <algorithm>

#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

constexpr Index kLanes = 16;  // columns whose numbers are drawn together
constexpr Index kRowsPerBlock = 4;

// Random words of columns col .. col + kLanes for the four rows of one block.
void draw(std::uint32_t (&words)[kRowsPerBlock][kLanes],
          Index col,
          Index block,
          const DropoutKey& key) noexcept {
    for (Index i = 0; i < kLanes; ++i) {
        words[0][i] = static_cast<std::uint32_t>(col + i);
        words[1][i] = static_cast<std::uint32_t>(block);
        words[2][i] = key.stream;
        words[3][i] = key.step;
    }
    philox4x32<kLanes>(words, PhiloxKey(key.seed));
}

}  // namespace

template <class T>
void dropout_forward(MatrixView<const T> x,
                     double p,
                     const DropoutKey& key,
                     Index first_row,
                     MatrixView<T> y,
                     MatrixView<T> factor) noexcept {
    const auto threshold = static_cast<std::uint32_t>(p * 0x1p32);
    const T kept = static_cast<T>(1.0 / (1.0 - p));
    const Range blocks{first_row / kRowsPerBlock,
                       ceil_div(first_row + x.rows, kRowsPerBlock)};
    std::uint32_t words[kRowsPerBlock][kLanes];
    for (Index block = blocks.begin; block < blocks.end; ++block) {
        for (Index col = 0; col < x.cols; col += kLanes) {
            draw(words, col, block, key);
            const Index n = std::min(kLanes, x.cols - col);
            for (Index word = 0; word < kRowsPerBlock; ++word) {
                const Index row = block * kRowsPerBlock + word - first_row;
                if (row < 0 || row >= x.rows) continue;
                T* f = factor.row(row) + col;
                for (Index i = 0; i < n; ++i) {
                    f[i] = words[word][i] < threshold ? T(0) : kept;
                }
            }
        }
    }
    multiply<T>(x, factor, y);
}

template <class T>
void multiply(MatrixView<const T> a,
              MatrixView<const T> b,
              MatrixView<T> out) noexcept {
    for (Index i = 0; i < a.rows; ++i) {
        simd::for_each<T>(a.cols, [&](auto at) {
            at.store(out.row(i), at.load(a.row(i)) * at.load(b.row(i)));
        });
    }
}

#define FASTNN_INSTANTIATE(T)                                                        \
    template void dropout_forward<T>(MatrixView<const T>, double, const DropoutKey&, \
                                     Index, MatrixView<T>, MatrixView<T>) noexcept;  \
    template void multiply<T>(MatrixView<const T>, MatrixView<const T>,              \
                              MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
