#include "fastnn/kernels/activation.hpp"

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/erf.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

bool slope_needs_input(const Activation& f) noexcept {
    return std::visit([](const auto& a) { return a.kSlopeNeedsInput; }, f);
}

bool is_rectifier(const Activation& f) noexcept {
    return std::visit([](const auto& a) { return a.kRectifier; }, f);
}

namespace {

// flatten: an activation that is called instead of inlined loads its constants anew for
// every register, which doubles the time of the cheap ones.

template <class T, class A>
[[gnu::flatten]] void forward(const A& a, VectorView<const T> z, VectorView<T> y) {
    simd::for_each<T>(z.size,
                      [&](auto at) { at.store(y.data, a.value(at.load(z.data))); });
}

template <class T, class A>
[[gnu::flatten]] void backward(const A& a,
                               VectorView<const T> dy,
                               VectorView<const T> s,
                               VectorView<T> dz) {
    simd::for_each<T>(dy.size, [&](auto at) {
        at.store(dz.data, at.load(dy.data) * a.slope(at.load(s.data)));
    });
}

template <class T, class A>
[[gnu::flatten]] void backward_from_input(const A& a,
                                          VectorView<const T> dy,
                                          VectorView<const T> z,
                                          VectorView<T> dz) {
    simd::for_each<T>(dy.size, [&](auto at) {
        simd::Vec<T> s = at.load(z.data);
        if constexpr (!A::kSlopeNeedsInput) s = a.value(s);
        at.store(dz.data, at.load(dy.data) * a.slope(s));
    });
}

}  // namespace

template <class T>
void activation_forward(const Activation& f,
                        VectorView<const T> z,
                        VectorView<T> y) noexcept {
    std::visit([&](const auto& a) { forward<T>(a, z, y); }, f);
}

template <class T>
void activation_backward(const Activation& f,
                         VectorView<const T> dy,
                         VectorView<const T> s,
                         VectorView<T> dz) noexcept {
    std::visit([&](const auto& a) { backward<T>(a, dy, s, dz); }, f);
}

template <class T>
void activation_backward_from_input(const Activation& f,
                                    VectorView<const T> dy,
                                    VectorView<const T> z,
                                    VectorView<T> dz) noexcept {
    std::visit([&](const auto& a) { backward_from_input<T>(a, dy, z, dz); }, f);
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void activation_forward<T>(const Activation&, VectorView<const T>,        \
                                        VectorView<T>) noexcept;                       \
    template void activation_backward<T>(const Activation&, VectorView<const T>,       \
                                         VectorView<const T>, VectorView<T>) noexcept; \
    template void activation_backward_from_input<T>(                                   \
        const Activation&, VectorView<const T>, VectorView<const T>,                   \
        VectorView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
