#include "fastnn/kernels/affine.hpp"

#include <algorithm>

#include "fastnn/kernels/thin.hpp"

namespace fastnn {
namespace {

// Every row := values, or zero when there are none.
template <class T>
void fill_rows(MatrixView<T> y, VectorView<const T> values) {
    for (Index i = 0; i < y.rows; ++i) {
        if (values.empty()) {
            std::fill_n(y.row(i), y.cols, T(0));
        } else {
            std::copy_n(values.data, y.cols, y.row(i));
        }
    }
}

}  // namespace

template <class T>
void affine_forward(MatrixView<const T> x,
                    MatrixView<const T> w,
                    VectorView<const T> b,
                    MatrixView<T> y,
                    GemmScratch<T>& scratch) {
    if (w.rows <= kThinUnits) return thin_forward(x, w, b, y);
    fill_rows(y, b);  // the product is added to the bias: no pass of its own
    gemm_nt(x, w, y, scratch);
}

template <class T>
void affine_backward_input(MatrixView<const T> dy,
                           MatrixView<const T> w,
                           MatrixView<T> dx,
                           GemmScratch<T>& scratch) {
    if (w.rows <= kThinUnits) return thin_backward_input(dy, w, dx);
    fill_rows(dx, VectorView<const T>{});
    gemm_nn(dy, w, dx, scratch);
}

template <class T>
void affine_backward_weights(MatrixView<const T> dy,
                             MatrixView<const T> x,
                             MatrixView<T> dw,
                             GemmScratch<T>& scratch) {
    if (dw.rows <= kThinUnits) return thin_backward_weights(dy, x, dw);
    fill_rows(dw, VectorView<const T>{});
    gemm_tn(dy, x, dw, scratch);
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void affine_forward<T>(MatrixView<const T>, MatrixView<const T>,          \
                                    VectorView<const T>, MatrixView<T>,                \
                                    GemmScratch<T>&);                                  \
    template void affine_backward_input<T>(MatrixView<const T>, MatrixView<const T>,   \
                                           MatrixView<T>, GemmScratch<T>&);            \
    template void affine_backward_weights<T>(MatrixView<const T>, MatrixView<const T>, \
                                             MatrixView<T>, GemmScratch<T>&);
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
