// Activation functions: y = f(z) and dz = dy f'(z), element by element.
//
// Each function is a small struct with the same parts: its formula, its parameters
// (read from Python by core/fields.hpp), value(z) and slope(s). The slope is a function
// of the output y where the function can be inverted; for the others (kSlopeNeedsInput)
// it is a function of z, which the forward pass then keeps. The variant at the end is
// the registry. Definitions agree with torch.nn.
//
// V is a packet (simd.hpp) or a number whose functions are found by its type, so that
// who only names an activation need not read what computes it.
#pragma once

#include <numbers>
#include <variant>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

namespace activation {

// What functions without parameters have in common.
struct Plain {
    static constexpr bool kSlopeNeedsInput = false;
    static constexpr bool kRectifier = false;
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
};

// y = z
struct Identity : Plain {
    static constexpr const char* kKind = "identity";
    template <class V>
    V value(V z) const {
        return z;
    }
    template <class V>
    V slope(V) const {
        return V(1);
    }
};

// y = max(0, z); the slope at 0 is 0
struct Relu : Plain {
    static constexpr const char* kKind = "relu";
    static constexpr bool kRectifier = true;
    template <class V>
    V value(V z) const {
        return select(z < V(0), V(0), z);
    }
    template <class V>
    V slope(V y) const {
        return select(y > V(0), V(1), V(0));
    }
};

// y = z where z > 0, negative_slope * z elsewhere (Maas et al. 2013)
struct LeakyRelu {
    static constexpr const char* kKind = "leaky_relu";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = false;
    double negative_slope = 0.01;
    static constexpr auto fields() {
        return std::tuple{field("negative_slope", &LeakyRelu::negative_slope)};
    }
    void validate() const { require_not_negative("negative_slope", negative_slope); }
    template <class V>
    V value(V z) const {
        return select(z < V(0), V(negative_slope) * z, z);
    }
    template <class V>
    V slope(V y) const {
        return select(y > V(0), V(1), V(negative_slope));
    }
};

// y = scale * (z where z > 0, alpha (exp(z / width) - 1) elsewhere): ELU (Clevert et
// al. 2016), SELU (Klambauer et al. 2017) and CELU (Barron 2017) are this with their
// constants.
template <class V>
V exponential_value(V z, double scale, double alpha, double width) {
    const V negative =
        V(alpha) * expm1_of_negative(min_with_number(z, V(0)) / V(width));
    return V(scale) * select(z < V(0), negative, z);
}
template <class V>
V exponential_slope(V y, double scale, double alpha, double width) {
    return select(y > V(0), V(scale), (y + V(scale * alpha)) / V(width));
}

struct Elu {
    static constexpr const char* kKind = "elu";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = false;
    double alpha = 1.0;
    static constexpr auto fields() { return std::tuple{field("alpha", &Elu::alpha)}; }
    void validate() const { require_not_negative("alpha", alpha); }
    template <class V>
    V value(V z) const {
        return exponential_value(z, 1, alpha, 1);
    }
    template <class V>
    V slope(V y) const {
        return exponential_slope(y, 1, alpha, 1);
    }
};

struct Selu : Plain {
    static constexpr const char* kKind = "selu";
    static constexpr double kAlpha = 1.6732632423543772848170429916717;
    static constexpr double kScale = 1.0507009873554804934193349852946;
    template <class V>
    V value(V z) const {
        return exponential_value(z, kScale, kAlpha, 1);
    }
    template <class V>
    V slope(V y) const {
        return exponential_slope(y, kScale, kAlpha, 1);
    }
};

struct Celu {
    static constexpr const char* kKind = "celu";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = false;
    double alpha = 1.0;
    static constexpr auto fields() { return std::tuple{field("alpha", &Celu::alpha)}; }
    void validate() const { require_positive("alpha", alpha); }
    template <class V>
    V value(V z) const {
        return exponential_value(z, 1, alpha, alpha);
    }
    template <class V>
    V slope(V y) const {
        return exponential_slope(y, 1, alpha, alpha);
    }
};

// y = z Phi(z), Phi the normal distribution function (Hendrycks & Gimpel 2016)
struct Gelu : Plain {
    static constexpr const char* kKind = "gelu";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = true;
    template <class V>
    static V phi(V z) {
        return V(0.5) * erfc(z * V(-1 / std::numbers::sqrt2));
    }
    template <class V>
    V value(V z) const {
        return z * phi(z);
    }
    template <class V>
    V slope(V z) const {
        const double density = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
        return phi(z) + z * V(density) * exp(V(-0.5) * z * z);
    }
};

template <class V>
V logistic(
    V z) {  // 1 / (1 + exp(-z)); exp only of negative numbers, so nothing overflows
    const V e = exp_of_negative(-abs(z));
    return select(z < V(0), e, V(1)) / (V(1) + e);
}

// y = z/2 (1 + tanh(u)) = z logistic(2u), u = sqrt(2/pi) (z + 0.044715 z^3)
struct GeluTanh : Plain {
    static constexpr const char* kKind = "gelu_tanh";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = true;
    static constexpr double kScale = 4 * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    static constexpr double kCubic = 0.044715;
    template <class V>
    V value(V z) const {
        return z * logistic(twice_u(z, z * z));
    }
    template <class V>
    V slope(V z) const {
        // Beyond |z| = 100, s (1 - s) is 0 and must not meet an infinity.
        const V inside = max_with_number(min_with_number(z, V(100)), V(-100));
        const V square = inside * inside;
        const V s = logistic(twice_u(inside, square));
        const V d_twice_u = V(kScale) * (V(1) + V(3 * kCubic) * square);
        return s * (V(1) + inside * (V(1) - s) * d_twice_u);
    }

private:
    template <class V>
    static V twice_u(V z, V square) {
        return V(kScale) * z * (V(1) + V(kCubic) * square);
    }
};

// y = 1 / (1 + exp(-z))
struct Sigmoid : Plain {
    static constexpr const char* kKind = "sigmoid";
    template <class V>
    V value(V z) const {
        return logistic(z);
    }
    template <class V>
    V slope(V y) const {
        return y * (V(1) - y);
    }
};

// y = z sigmoid(z) (Elfwing et al. 2018; "swish")
struct Silu : Plain {
    static constexpr const char* kKind = "silu";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = true;
    template <class V>
    V value(V z) const {
        return z * logistic(z);
    }
    template <class V>
    V slope(V z) const {
        const V s = logistic(z);
        return s * (V(1) + z * (V(1) - s));
    }
};

template <class V>
V log_one_plus_exp(V z) {  // log(1 + exp(z)), exp only of negative numbers
    return max_with_number(z, V(0)) + log1p_of_fraction(exp_of_negative(-abs(z)));
}

// y = log(1 + exp(z))
struct Softplus : Plain {
    static constexpr const char* kKind = "softplus";
    static constexpr bool kRectifier = true;
    template <class V>
    V value(V z) const {
        return log_one_plus_exp(z);
    }
    template <class V>
    V slope(V y) const {
        return -expm1_of_negative(-y);
    }
};

// y = z tanh(softplus(z)) (Misra 2020) = z n / (n + 2) with w = exp(z), n = w (w + 2)
struct Mish : Plain {
    static constexpr const char* kKind = "mish";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = true;
    static constexpr double kFlat = 40;  // beyond, n / (n + 2) is 1 in full
    template <class V>
    V value(V z) const {
        const V w = exp(min_with_number(z, V(kFlat)));
        const V n = w * (w + V(2));
        return z * (n / (n + V(2)));
    }
    // n / (n + 2) + z 4 w (1 + w) / (n + 2)^2
    template <class V>
    V slope(V z) const {
        const V inside = min_with_number(z, V(kFlat));
        const V w = exp(inside);
        const V n = w * (w + V(2));
        const V inverse = V(1) / (n + V(2));
        const V steep = V(4) * w * (V(1) + w) * inverse * inverse;
        return fma(inside, steep, n * inverse);
    }
};

// y = tanh(z)
struct Tanh : Plain {
    static constexpr const char* kKind = "tanh";
    template <class V>
    V value(V z) const {
        return tanh(z);
    }
    template <class V>
    V slope(V y) const {
        return V(1) - y * y;
    }
};

// y = z / (1 + |z|)
struct Softsign : Plain {
    static constexpr const char* kKind = "softsign";
    template <class V>
    V value(V z) const {
        return z / (V(1) + abs(z));
    }
    template <class V>
    V slope(V y) const {
        const V rest = V(1) - abs(y);
        return rest * rest;
    }
};

template <class V>
V clamp(V z, double low, double high) {
    return min_with_number(max_with_number(z, V(low)), V(high));
}

// y = clamp(z + 3, 0, 6) / 6
struct HardSigmoid : Plain {
    static constexpr const char* kKind = "hard_sigmoid";
    template <class V>
    V value(V z) const {
        return clamp(z + V(3), 0, 6) / V(6);
    }
    template <class V>
    V slope(V y) const {
        return select((y > V(0)) & (y < V(1)), V(1.0 / 6), V(0));
    }
};

// y = z clamp(z + 3, 0, 6) / 6 (Howard et al. 2019)
struct HardSwish : Plain {
    static constexpr const char* kKind = "hard_swish";
    static constexpr bool kRectifier = true;
    static constexpr bool kSlopeNeedsInput = true;
    template <class V>
    V value(V z) const {
        return z * clamp(z + V(3), 0, 6) / V(6);
    }
    template <class V>
    V slope(V z) const {
        const V middle = z / V(3) + V(0.5);
        return select(z <= V(-3), V(0), select(z >= V(3), V(1), middle));
    }
};

// y = clamp(z, -1, 1)
struct HardTanh : Plain {
    static constexpr const char* kKind = "hard_tanh";
    template <class V>
    V value(V z) const {
        return clamp(z, -1, 1);
    }
    template <class V>
    V slope(V y) const {
        return select((y > V(-1)) & (y < V(1)), V(1), V(0));
    }
};

}  // namespace activation

using Activation = std::variant<activation::Identity,
                                activation::Relu,
                                activation::LeakyRelu,
                                activation::Elu,
                                activation::Selu,
                                activation::Celu,
                                activation::Gelu,
                                activation::GeluTanh,
                                activation::Silu,
                                activation::Mish,
                                activation::Sigmoid,
                                activation::Tanh,
                                activation::Softplus,
                                activation::Softsign,
                                activation::HardSigmoid,
                                activation::HardSwish,
                                activation::HardTanh>;

inline bool is_identity(const Activation& f) noexcept {
    return std::holds_alternative<activation::Identity>(f);
}
// Whether the backward pass needs z rather than y.
bool slope_needs_input(const Activation& f) noexcept;
// The rectifier family: weights before it are initialised after He.
bool is_rectifier(const Activation& f) noexcept;

// y = f(z); y may be z
template <class T>
void activation_forward(const Activation& f,
                        VectorView<const T> z,
                        VectorView<T> y) noexcept;

// dz = dy f'(s), s the output y or, where slope_needs_input, the input z; dz may be dy
template <class T>
void activation_backward(const Activation& f,
                         VectorView<const T> dy,
                         VectorView<const T> s,
                         VectorView<T> dz) noexcept;

// dz = dy f'(z) with the input z whatever the function; dz may be dy or z
template <class T>
void activation_backward_from_input(const Activation& f,
                                    VectorView<const T> dy,
                                    VectorView<const T> z,
                                    VectorView<T> dz) noexcept;

}  // namespace fastnn
