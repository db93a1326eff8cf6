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

template <class T>
void affine_forward(MatrixView<const T> x,
                    PackedWeightsView<T> w,
                    VectorView<const T> b,
                    MatrixView<T> y) noexcept {
    const Index lanes = w.units <= kFewUnits ? w.units : simd::Vec<T>::kWidth;
    gemm::product<T>(gemm::Plain<T>{x.data, x.stride},
                     gemm::Panels<T>{w.data, x.cols, lanes}, x.cols, y,
                     b.empty() ? nullptr : b.data);
}

template <class T>
void affine_backward_input(MatrixView<const T> dy,
                           MatrixView<const T> w,
                           MatrixView<T> dx) noexcept {
    gemm::product<T>(gemm::Plain<T>{dy.data, dy.stride},
                     gemm::RowMajor<T>{w.data, w.stride}, dy.cols, dx, nullptr);
}

template <class T>
void affine_backward_weights(MatrixView<const T> dy,
                             MatrixView<const T> x,
                             MatrixView<T> dw) noexcept {
    gemm::product<T>(gemm::Transposed<T>{dy.data, dy.stride},
                     gemm::RowMajor<T>{x.data, x.stride}, dy.rows, dw, nullptr);
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

}  // namespace fastnn
