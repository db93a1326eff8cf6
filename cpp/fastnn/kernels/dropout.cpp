#include "fastnn/kernels/dropout.hpp"

#include <cmath>

#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

// A random word below it: dropped.
std::uint32_t threshold_of(double p) noexcept {
    return static_cast<std::uint32_t>(p * 0x1p32);
}

}  // namespace

template <class T>
void dropout_forward(MatrixView<const T> x,
                     double p,
                     const RandomKey& key,
                     Index first_row,
                     MatrixView<T> y,
                     MatrixView<T> factor) noexcept {
    const std::uint32_t threshold = threshold_of(p);
    const T kept = static_cast<T>(1.0 / (1.0 - p));
    for_each_word(x.rows, x.cols, key, first_row,
                  [&](Index row, Range cols, const auto& words, Index word) {
                      T* f = factor.row(row) + cols.begin;
                      for (Index i = 0; i < cols.size(); ++i) {
                          f[i] = words[word][i] < threshold ? T(0) : kept;
                      }
                  });
    multiply<T>(x, factor, y);
}

template <class T>
void apply_mask(MatrixView<const T> x,
                double p,
                const RandomKey& key,
                Index first_row,
                MatrixView<T> y) noexcept {
    const std::uint32_t threshold = threshold_of(p);
    const T kept = static_cast<T>(1.0 / (1.0 - p));
    for_each_word(x.rows, x.cols, key, first_row,
                  [&](Index row, Range cols, const auto& words, Index word) {
                      const T* from = x.row(row) + cols.begin;
                      T* to = y.row(row) + cols.begin;
                      for (Index i = 0; i < cols.size(); ++i) {
                          to[i] = from[i] * (words[word][i] < threshold ? T(0) : kept);
                      }
                  });
}

template <class T>
void alpha_dropout_forward(MatrixView<const T> x,
                           double p,
                           const RandomKey& key,
                           Index first_row,
                           MatrixView<T> y,
                           MatrixView<T> factor) noexcept {
    constexpr double kSaturation = -1.7580993408473766;  // SELU's -scale alpha
    const double slope = 1 / std::sqrt((1 - p) * (1 + p * kSaturation * kSaturation));
    const double shift = -slope * p * kSaturation;
    const std::uint32_t threshold = threshold_of(p);
    const T a = static_cast<T>(slope), b = static_cast<T>(shift);
    const T dropped = static_cast<T>(slope * kSaturation + shift);
    for_each_word(x.rows, x.cols, key, first_row,
                  [&](Index row, Range cols, const auto& words, Index word) {
                      const T* from = x.row(row) + cols.begin;
                      T* to = y.row(row) + cols.begin;
                      T* f = factor.row(row) + cols.begin;
                      for (Index i = 0; i < cols.size(); ++i) {
                          const bool drop = words[word][i] < threshold;
                          f[i] = drop ? T(0) : a;
                          to[i] = f[i] * from[i] + (drop ? dropped : b);
                      }
                  });
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

#define FASTNN_INSTANTIATE(T)                                                         \
    template void dropout_forward<T>(MatrixView<const T>, double, const RandomKey&,   \
                                     Index, MatrixView<T>, MatrixView<T>) noexcept;   \
    template void apply_mask<T>(MatrixView<const T>, double, const RandomKey&, Index, \
                                MatrixView<T>) noexcept;                              \
    template void alpha_dropout_forward<T>(MatrixView<const T>, double,               \
                                           const RandomKey&, Index, MatrixView<T>,    \
                                           MatrixView<T>) noexcept;                   \
    template void multiply<T>(MatrixView<const T>, MatrixView<const T>,               \
                              MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
