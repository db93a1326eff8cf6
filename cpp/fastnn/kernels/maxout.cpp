#include "fastnn/kernels/maxout.hpp"

#include "fastnn/kernels/simd.hpp"

namespace fastnn {

using simd::for_each;
using simd::Vec;

template <class T>
void maxout_forward(MatrixView<const T> x,
                    MatrixView<T> y,
                    MatrixView<T> winner) noexcept {
    const Index units = y.cols, pieces = x.cols / units;
    for (Index i = 0; i < x.rows; ++i) {
        const T* row = x.row(i);
        for_each<T>(units, [&](auto at) {
            Vec<T> best = at.load(row), k_best;
            for (Index k = 1; k < pieces; ++k) {
                const Vec<T> piece = at.load(row + k * units);
                k_best = select(best >= piece, k_best, Vec<T>(k));
                best = max(best, piece);
            }
            at.store(y.row(i), best);
            if (winner.data) at.store(winner.row(i), k_best);
        });
    }
}

template <class T>
void maxout_backward(MatrixView<const T> dy,
                     MatrixView<const T> winner,
                     MatrixView<T> dx) noexcept {
    const Index units = dy.cols, pieces = dx.cols / units;
    for (Index i = 0; i < dy.rows; ++i) {
        for_each<T>(units, [&](auto at) {
            const Vec<T> d = at.load(dy.row(i)), k_best = at.load(winner.row(i));
            for (Index k = 0; k < pieces; ++k) {
                at.store(dx.row(i) + k * units,
                         select(k_best == Vec<T>(k), d, Vec<T>()));
            }
        });
    }
}

#define FASTNN_INSTANTIATE(T)                                                  \
    template void maxout_forward<T>(MatrixView<const T>, MatrixView<T>,        \
                                    MatrixView<T>) noexcept;                   \
    template void maxout_backward<T>(MatrixView<const T>, MatrixView<const T>, \
                                     MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
