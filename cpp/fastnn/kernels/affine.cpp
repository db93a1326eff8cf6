#include "fastnn/kernels/affine.hpp"

#include "fastnn/kernels/gemm.hpp"

namespace fastnn {

// A register as a template argument loses attributes that matter here to nobody.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

// In squares of one register by as many: transposed without leaving the registers.
template <class T>
void pack_weights(MatrixView<const T> w, Range units, T* panels) noexcept {
    using simd::Vec;
    constexpr Index kLanes = Vec<T>::kWidth;
    static_assert(kPanelUnits % kLanes == 0);
    using Square = Eigen::internal::PacketBlock<typename Vec<T>::Packet, kLanes>;
    if (w.rows <= kFewUnits) {
        for (Index k = 0; k < w.cols; ++k) {
            for (Index u = 0; u < w.rows; ++u) panels[k * w.rows + u] = w(u, k);
        }
        return;
    }
    for (Index unit = units.begin; unit < units.end; unit += kLanes) {
        T* panel = panels + unit * w.cols;
        const Index real = std::min(kLanes, units.end - unit);
        simd::for_each<T>(w.cols, [&](auto at) {
            Square square;
            for (Index u = 0; u < kLanes; ++u) {
                square.packet[u] =
                    (u < real ? at.load(w.row(unit + u)) : Vec<T>()).packet;
            }
            Eigen::internal::ptranspose(square);
            const Index n = std::min(kLanes, w.cols - at.i);
            for (Index k = 0; k < n; ++k) {
                Vec<T>(square.packet[k]).store(panel + (at.i + k) * kLanes);
            }
        });
    }
}

#pragma GCC diagnostic pop

namespace {

using gemm::Into;

template <class T>
void forward(MatrixView<const T> x,
             PackedWeightsView<T> w,
             const T* bias,
             MatrixView<T> y,
             Into into) noexcept {
    const Index lanes = w.units <= kFewUnits ? w.units : simd::Vec<T>::kWidth;
    gemm::product<T>(gemm::Plain<T>{x.data, x.stride},
                     gemm::Panels<T>{w.data, x.cols, lanes}, x.cols, y, bias, into);
}

template <class T>
void backward_input(MatrixView<const T> dy,
                    MatrixView<const T> w,
                    MatrixView<T> dx,
                    Into into) noexcept {
    gemm::product<T>(gemm::Plain<T>{dy.data, dy.stride},
                     gemm::RowMajor<T>{w.data, w.stride}, dy.cols, dx, nullptr, into);
}

template <class T>
void backward_weights(MatrixView<const T> dy,
                      MatrixView<const T> x,
                      MatrixView<T> dw,
                      Into into) noexcept {
    gemm::product<T>(gemm::Transposed<T>{dy.data, dy.stride},
                     gemm::RowMajor<T>{x.data, x.stride}, dy.rows, dw, nullptr, into);
}

}  // namespace

template <class T>
void affine_forward(MatrixView<const T> x,
                    PackedWeightsView<T> w,
                    VectorView<const T> b,
                    MatrixView<T> y) noexcept {
    forward(x, w, b.empty() ? nullptr : b.data, y, Into::kNew);
}

template <class T>
void affine_backward_input(MatrixView<const T> dy,
                           MatrixView<const T> w,
                           MatrixView<T> dx) noexcept {
    backward_input(dy, w, dx, Into::kNew);
}

template <class T>
void affine_backward_weights(MatrixView<const T> dy,
                             MatrixView<const T> x,
                             MatrixView<T> dw) noexcept {
    backward_weights(dy, x, dw, Into::kNew);
}

template <class T>
void affine_forward_add(MatrixView<const T> x,
                        PackedWeightsView<T> w,
                        MatrixView<T> y) noexcept {
    forward<T>(x, w, nullptr, y, Into::kSum);
}

template <class T>
void affine_backward_input_add(MatrixView<const T> dy,
                               MatrixView<const T> w,
                               MatrixView<T> dx) noexcept {
    backward_input(dy, w, dx, Into::kSum);
}

template <class T>
void affine_backward_weights_add(MatrixView<const T> dy,
                                 MatrixView<const T> x,
                                 MatrixView<T> dw) noexcept {
    backward_weights(dy, x, dw, Into::kSum);
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void pack_weights<T>(MatrixView<const T>, Range, T*) noexcept;            \
    template void affine_forward<T>(MatrixView<const T>, PackedWeightsView<T>,         \
                                    VectorView<const T>, MatrixView<T>) noexcept;      \
    template void affine_backward_input<T>(MatrixView<const T>, MatrixView<const T>,   \
                                           MatrixView<T>) noexcept;                    \
    template void affine_backward_weights<T>(MatrixView<const T>, MatrixView<const T>, \
                                             MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

// Curvature alone asks for these, and in double.
template void affine_forward_add(MatrixView<const double>,
                                 PackedWeightsView<double>,
                                 MatrixView<double>) noexcept;
template void affine_backward_input_add(MatrixView<const double>,
                                        MatrixView<const double>,
                                        MatrixView<double>) noexcept;
template void affine_backward_weights_add(MatrixView<const double>,
                                          MatrixView<const double>,
                                          MatrixView<double>) noexcept;

}  // namespace fastnn
