#include "fastnn/kernels/noise.hpp"

#include <numbers>

#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

// (w + 1/2) / 2^32; of float, what rounds to 1 is 1.
template <class T>
void uniforms(const std::uint32_t (&words)[random_words::kLanes], T* u) noexcept {
    for (Index i = 0; i < random_words::kLanes; ++i) {
        u[i] = (static_cast<T>(words[i]) + T(0.5)) * T(0x1p-32);
    }
}

}  // namespace

template <class T>
void add_gaussian_noise(MatrixView<const T> x,
                        double deviation,
                        const RandomKey& key,
                        Index first_row,
                        MatrixView<T> y) noexcept {
    using simd::Vec;
    const Vec<T> size(deviation), turn(2 * std::numbers::pi);
    T u[random_words::kLanes], v[random_words::kLanes];
    for_each_word(x.rows, x.cols, key, first_row,
                  [&](Index row, Range cols, const auto& words, Index word) {
                      const Index pair = word / 2 * 2;
                      uniforms<T>(words[pair], u);
                      uniforms<T>(words[pair + 1], v);
                      const T* from = x.row(row) + cols.begin;
                      T* to = y.row(row) + cols.begin;
                      simd::for_each<T>(cols.size(), [&](auto at) {
                          // Lanes beyond the end hold 0, whose logarithm nobody looks
                          // at.
                          const Vec<T> angle = turn * at.load(v);
                          const Vec<T> radius = sqrt(Vec<T>(-2) * log(at.load(u)));
                          const Vec<T> n =
                              radius * (word == pair ? cos(angle) : sin(angle));
                          at.store(to, fma(size, n, at.load(from)));
                      });
                  });
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void add_gaussian_noise<T>(MatrixView<const T>, double, const RandomKey&, \
                                        Index, MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
