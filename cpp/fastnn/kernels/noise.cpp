#include "fastnn/kernels/noise.hpp"

#include "fastnn/kernels/box_muller.hpp"

namespace fastnn {
namespace {

template <class T>
void fractions(const std::uint32_t (&words)[random_words::kLanes], T* u) noexcept {
    for (Index i = 0; i < random_words::kLanes; ++i) u[i] = open_fraction<T>(words[i]);
}

}  // namespace

template <class T>
void add_gaussian_noise(MatrixView<const T> x,
                        double deviation,
                        const RandomKey& key,
                        Index first_row,
                        MatrixView<T> y) noexcept {
    using simd::Vec;
    const Vec<T> size(deviation);
    T u[random_words::kLanes], v[random_words::kLanes];
    for_each_word(x.rows, x.cols, key, first_row,
                  [&](Index row, Range cols, const auto& words, Index word) {
                      const Index pair = word / 2 * 2;
                      fractions<T>(words[pair], u);
                      fractions<T>(words[pair + 1], v);
                      const T* from = x.row(row) + cols.begin;
                      T* to = y.row(row) + cols.begin;
                      simd::for_each<T>(cols.size(), [&](auto at) {
                          // Lanes beyond the end hold 0, whose logarithm nobody looks
                          // at.
                          const BoxMuller<T> z(at.load(u), at.load(v));
                          const Vec<T> n = word == pair ? z.first() : z.second();
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
