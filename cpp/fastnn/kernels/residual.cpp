#include "fastnn/kernels/residual.hpp"

#include <algorithm>

#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

template <class T>
void survival_factors(double survival,
                      const RandomKey& key,
                      Index first_row,
                      VectorView<T> factors) noexcept {
    constexpr Index kRowsPerBlock = 4;
    const auto threshold = static_cast<std::uint64_t>(survival * 0x1p32);
    const T kept = static_cast<T>(1.0 / survival);
    PhiloxBlock words{};
    for (Index i = 0; i < factors.size; ++i) {
        const Index row = first_row + i;
        const Index word = row % kRowsPerBlock;
        if (i == 0 || word == 0) {
            const auto block = static_cast<std::uint32_t>(row / kRowsPerBlock);
            words = philox4x32({0, block, key.stream, key.step}, PhiloxKey(key.seed));
        }
        factors[i] = words[static_cast<std::size_t>(word)] < threshold ? kept : T(0);
    }
}

template <class T>
void residual_forward(MatrixView<const T> skip,
                      MatrixView<const T> branch,
                      VectorView<const T> factors,
                      MatrixView<T> y) noexcept {
    for (Index i = 0; i < y.rows; ++i) {
        const simd::Vec<T> factor(factors.empty() ? T(1) : factors[i]);
        simd::for_each<T>(y.cols, [&](auto at) {
            at.store(y.row(i),
                     simd::fma(factor, at.load(branch.row(i)), at.load(skip.row(i))));
        });
    }
}

template <class T>
void residual_backward(MatrixView<const T> dy,
                       VectorView<const T> factors,
                       MatrixView<T> dbranch) noexcept {
    for (Index i = 0; i < dy.rows; ++i) {
        const simd::Vec<T> factor(factors.empty() ? T(1) : factors[i]);
        simd::for_each<T>(dy.cols, [&](auto at) {
            at.store(dbranch.row(i), factor * at.load(dy.row(i)));
        });
    }
}

template <class T>
void add_rows(MatrixView<const T> x, MatrixView<T> to) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        simd::for_each<T>(x.cols, [&](auto at) {
            at.store(to.row(i), at.load(to.row(i)) + at.load(x.row(i)));
        });
    }
}

#define FASTNN_INSTANTIATE(T)                                                       \
    template void survival_factors<T>(double, const RandomKey&, Index,              \
                                      VectorView<T>) noexcept;                      \
    template void residual_forward<T>(MatrixView<const T>, MatrixView<const T>,     \
                                      VectorView<const T>, MatrixView<T>) noexcept; \
    template void residual_backward<T>(MatrixView<const T>, VectorView<const T>,    \
                                       MatrixView<T>) noexcept;                     \
    template void add_rows<T>(MatrixView<const T>, MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
