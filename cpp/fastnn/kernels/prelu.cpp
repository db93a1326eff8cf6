#include "fastnn/kernels/prelu.hpp"

#include "fastnn/kernels/reduce.hpp"

namespace fastnn {

using simd::for_each;
using simd::Vec;

namespace {

template <class T, class At>
Vec<T> slope(const At& at, VectorView<const T> a) noexcept {
    return a.size == 1 ? Vec<T>(a[0]) : at.load(a.data);
}

}  // namespace

template <class T>
void prelu_forward(MatrixView<const T> x,
                   VectorView<const T> a,
                   MatrixView<T> y) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> v = at.load(x.row(i));
            at.store(y.row(i), select(v > Vec<T>(), v, slope<T>(at, a) * v));
        });
    }
}

template <class T>
void prelu_backward_input(MatrixView<const T> dy,
                          MatrixView<const T> x,
                          VectorView<const T> a,
                          MatrixView<T> dx) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        for_each<T>(x.cols, [&](auto at) {
            const Vec<T> d = at.load(dy.row(i));
            const auto positive = at.load(x.row(i)) > Vec<T>();
            at.store(dx.row(i), select(positive, d, slope<T>(at, a) * d));
        });
    }
}

template <class T>
void prelu_slope_gradient(MatrixView<const T> dy,
                          MatrixView<const T> x,
                          VectorView<T> da) noexcept {
    const bool shared = da.size == 1;
    Vec<T> total;
    for_each<T>(x.cols, [&](auto at) {
        RowSums<T, 1> column;
        column.add_rows(x.rows, [&](Index i, auto add) {
            const Vec<T> v = at.load(x.row(i));
            const Vec<T> product = v * at.load(dy.row(i));
            add(0, select(v > Vec<T>(), Vec<T>(), product));
        });
        if (shared) {
            total += column.sum(0);  // lanes beyond the end are 0
        } else {
            at.store(da.data, column.sum(0));
        }
    });
    if (shared) da[0] = sum(total);
}

#define FASTNN_INSTANTIATE(T)                                                       \
    template void prelu_forward<T>(MatrixView<const T>, VectorView<const T>,        \
                                   MatrixView<T>) noexcept;                         \
    template void prelu_backward_input<T>(MatrixView<const T>, MatrixView<const T>, \
                                          VectorView<const T>,                      \
                                          MatrixView<T>) noexcept;                  \
    template void prelu_slope_gradient<T>(MatrixView<const T>, MatrixView<const T>, \
                                          VectorView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
