#include "fastnn/diagnose/activation_curvature.hpp"

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/erf.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

using V = simd::Vec<double>;

// The table: curvature(f, s) = f'' as a function of what f's slope is a function of.

// Piecewise linear functions.
V curvature(const activation::Identity&, V) { return V(0); }
V curvature(const activation::Relu&, V) { return V(0); }
V curvature(const activation::LeakyRelu&, V) { return V(0); }
V curvature(const activation::HardSigmoid&, V) { return V(0); }
V curvature(const activation::HardTanh&, V) { return V(0); }

// Where z < 0, f' = (y + scale alpha) / width, so f'' = f' / width.
V exponential_curvature(V y, double scale, double alpha, double width) {
    const V inverse(1 / width);
    return select(y < V(0), (y + V(scale * alpha)) * inverse * inverse, V(0));
}
V curvature(const activation::Elu& f, V y) {
    return exponential_curvature(y, 1, f.alpha, 1);
}
V curvature(const activation::Selu& f, V y) {
    return exponential_curvature(y, f.kScale, f.kAlpha, 1);
}
V curvature(const activation::Celu& f, V y) {
    return exponential_curvature(y, 1, f.alpha, f.alpha);
}

// Beyond it the curvature of functions of z is 0 and must not meet an infinity.
V inside(V z) { return max_with_number(min_with_number(z, V(700)), V(-700)); }

// f'' = density(z) (2 - z^2)
V curvature(const activation::Gelu&, V z) {
    const V x = inside(z), square = x * x;
    const V density(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
    return density * exp(V(-0.5) * square) * (V(2) - square);
}

// f = z s(u), f'' = s' (2 u' + z ((1 - 2 s) u'^2 + u'')), s' = s (1 - s),
// u = k (z + c z^3)
V curvature(const activation::GeluTanh& f, V z) {
    const V x = max_with_number(min_with_number(z, V(100)), V(-100));
    const V k(f.kScale), square = x * x;
    const V s = activation::logistic(k * x * (V(1) + V(f.kCubic) * square));
    const V du = k * (V(1) + V(3 * f.kCubic) * square);
    const V ddu = k * V(6 * f.kCubic) * x;
    return s * (V(1) - s) * (du + du + x * ((V(1) - s - s) * du * du + ddu));
}

// f = z s, f'' = s' (2 + z (1 - 2 s)), s' = s (1 - s)
V curvature(const activation::Silu&, V z) {
    const V x = inside(z), s = activation::logistic(x);
    return s * (V(1) - s) * (V(2) + x * (V(1) - s - s));
}

// f = z t, t = tanh(softplus(z)) = n / (n + 2): f'' = t' (2 + z (1 - s - 2 t s)),
// t' = 4 w (1 + w) / (n + 2)^2, s = w / (1 + w)
V curvature(const activation::Mish& f, V z) {
    const V x = max_with_number(min_with_number(z, V(f.kFlat)), V(-700));
    const V w = exp(x), n = w * (w + V(2)), inverse = V(1) / (n + V(2));
    const V t = n * inverse, s = w / (V(1) + w);
    const V steep = V(4) * w * (V(1) + w) * inverse * inverse;
    return steep * (V(2) + x * (V(1) - s - (t + t) * s));
}

V curvature(const activation::Sigmoid&, V y) { return y * (V(1) - y) * (V(1) - y - y); }
V curvature(const activation::Tanh&, V y) { return V(-2) * y * (V(1) - y * y); }

// f' = 1 - exp(-y), f'' = f' exp(-y)
V curvature(const activation::Softplus&, V y) {
    const V slope = -expm1_of_negative(-y);
    return slope * (V(1) - slope);
}

// f' = (1 - |y|)^2, f'' = -2 sign(y) (1 - |y|)^3
V curvature(const activation::Softsign&, V y) {
    const V rest = V(1) - abs(y);
    return V(-2) * sign(y) * rest * rest * rest;
}

V curvature(const activation::HardSwish&, V z) {
    return select((z > V(-3)) & (z < V(3)), V(1.0 / 3), V(0));
}

template <class A>
[[gnu::flatten]] void r_backward(const A& f,
                                 VectorView<const double> s,
                                 VectorView<const double> rz,
                                 VectorView<const double> dy,
                                 VectorView<const double> rdy,
                                 VectorView<double> rdz) {
    simd::for_each<double>(s.size, [&](auto at) {
        const V s_i = at.load(s.data);
        const V bent = at.load(dy.data) * curvature(f, s_i) * at.load(rz.data);
        at.store(rdz.data, fma(at.load(rdy.data), f.slope(s_i), bent));
    });
}

}  // namespace

void activation_r_backward(const Activation& f,
                           VectorView<const double> s,
                           VectorView<const double> rz,
                           VectorView<const double> dy,
                           VectorView<const double> rdy,
                           VectorView<double> rdz) noexcept {
    std::visit([&](const auto& a) { r_backward(a, s, rz, dy, rdy, rdz); }, f);
}

}  // namespace fastnn
