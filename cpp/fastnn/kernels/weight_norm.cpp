#include "fastnn/kernels/weight_norm.hpp"

#include <cmath>

#include "fastnn/kernels/vectors.hpp"

namespace fastnn {
namespace {

// 1 / |v|, or 0 of zeros
template <class T>
double inverse_length(VectorView<const T> v) noexcept {
    const double length = std::sqrt(dot<T>(v, v));
    return length > 0 ? 1 / length : 0.0;
}

}  // namespace

template <class T>
void weight_norm_forward(MatrixView<const T> v,
                         VectorView<const T> g,
                         MatrixView<T> w) noexcept {
    for (Index i = 0; i < v.rows; ++i) {
        const VectorView<const T> row{v.row(i), v.cols};
        const double factor = static_cast<double>(g[i]) * inverse_length(row);
        scaled<T>(factor, row, {w.row(i), w.cols});
    }
}

template <class T>
void weight_norm_backward(MatrixView<const T> v,
                          VectorView<const T> g,
                          MatrixView<T> dw,
                          VectorView<T> dg) noexcept {
    using simd::Vec;
    for (Index i = 0; i < v.rows; ++i) {
        const VectorView<const T> row{v.row(i), v.cols};
        const double inverse = inverse_length(row);
        const double along = dot<T>(row, {dw.row(i), dw.cols}) * inverse;
        const Vec<T> factor(static_cast<double>(g[i]) * inverse);
        const Vec<T> part(-along * inverse);
        simd::for_each<T>(v.cols, [&](auto at) {
            const Vec<T> across = fma(part, at.load(row.data), at.load(dw.row(i)));
            at.store(dw.row(i), factor * across);
        });
        dg[i] = static_cast<T>(along);
    }
}

#define FASTNN_INSTANTIATE(T)                                                       \
    template void weight_norm_forward<T>(MatrixView<const T>, VectorView<const T>,  \
                                         MatrixView<T>) noexcept;                   \
    template void weight_norm_backward<T>(MatrixView<const T>, VectorView<const T>, \
                                          MatrixView<T>, VectorView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
