// Rules that divide by the root of summed or averaged squares: Adagrad, RMSprop,
// Adadelta.
#pragma once

#include "fastnn/optim/rules/rule.hpp"

namespace fastnn::optim {

// Adagrad (Duchi, Hazan & Singer 2011):
//   s <- s + g^2
//   w <- w - lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)
struct Adagrad {
    static constexpr const char* kKind = "adagrad";
    double lr = 1e-2;
    double lr_decay = 0;
    double weight_decay = 0;
    double initial_accumulator_value = 0;
    double eps = 1e-10;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{
            field("lr", &Adagrad::lr),
            field("lr_decay", &Adagrad::lr_decay),
            field("weight_decay", &Adagrad::weight_decay),
            field("initial_accumulator_value", &Adagrad::initial_accumulator_value),
            field("eps", &Adagrad::eps),
            field("maximize", &Adagrad::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_not_negative("lr_decay", lr_decay);
        require_not_negative("weight_decay", weight_decay);
        require_not_negative("initial_accumulator_value", initial_accumulator_value);
        require_not_negative("eps", eps);
    }
    Slots slots() const { return {{"sum", initial_accumulator_value}}; }

    struct Scalars {
        double slowdown;
    };
    Scalars scalars(const Step& step) const {
        return {1 + static_cast<double>(step.t - 1) * lr_decay};
    }

    template <class T, class Sweep>
    void update(const Scalars& scalars, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const Gradient<T> gradient(maximize, weight_decay);
        const V eta = lanes<T>(rate / scalars.slowdown), epsilon = lanes<T>(eps);
        sweep([=](V& w, V g, V& s) {
            g = gradient(w, g);
            s += g * g;
            w -= eta * g / (simd::sqrt(s) + epsilon);
        });
    }
};

// RMSprop (Tieleman & Hinton 2012; centered: Graves 2013, arXiv:1308.0850):
//   v <- alpha v + (1 - alpha) g^2
//   a <- alpha a + (1 - alpha) g                  (centered; a = 0 otherwise)
//   d = g / (sqrt(v - a^2) + eps)
//   w <- w - lr d    or    b <- momentum b + d,  w <- w - lr b
// v - a^2, a variance, is kept from falling below 0 by rounding.
struct Rmsprop {
    static constexpr const char* kKind = "rmsprop";
    double lr = 1e-2;
    double alpha = 0.99;
    double eps = 1e-8;
    double weight_decay = 0;
    double momentum = 0;
    bool centered = false;
    bool maximize = false;
    bool has_velocity = false;  // b, though a schedule has taken momentum to 0

    static constexpr auto fields() {
        return std::tuple{field("lr", &Rmsprop::lr),
                          field("alpha", &Rmsprop::alpha),
                          field("eps", &Rmsprop::eps),
                          field("weight_decay", &Rmsprop::weight_decay),
                          field("momentum", &Rmsprop::momentum),
                          field("centered", &Rmsprop::centered),
                          field("maximize", &Rmsprop::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require(alpha >= 0 && alpha <= 1, "alpha", alpha, "in [0, 1]");
        require_not_negative("eps", eps);
        require_not_negative("weight_decay", weight_decay);
        require_not_negative("momentum", momentum);
    }
    Slots slots() const {
        return {{"square_avg"},
                {"momentum_buffer", 0, momentum != 0 || has_velocity},
                {"grad_avg", 0, centered}};
    }

    using Scalars = NoScalars;
    Scalars scalars(const Step&) const { return {}; }

    template <class T, class Sweep>
    void update(const Scalars&, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const Gradient<T> gradient(maximize, weight_decay);
        const RunningMean<T> mean(alpha);
        const V eta = lanes<T>(rate), mu = lanes<T>(momentum), epsilon = lanes<T>(eps);
        const auto scaled = [=](V w, V g, V& v) {
            g = gradient(w, g);
            v = mean(v, g * g);
            return g / (simd::sqrt(v) + epsilon);
        };
        const auto centered_scaled = [=](V w, V g, V& v, V& a) {
            g = gradient(w, g);
            v = mean(v, g * g);
            a = mean(a, g);
            return g / (simd::sqrt(simd::max_with_number(v - a * a, V())) + epsilon);
        };
        if (momentum == 0 && !centered) {
            sweep([=](V& w, V g, V& v) { w -= eta * scaled(w, g, v); });
        } else if (momentum == 0 && has_velocity) {
            sweep([=](V& w, V g, V& v, V&, V& a) {
                w -= eta * centered_scaled(w, g, v, a);
            });
        } else if (!centered) {
            sweep([=](V& w, V g, V& v, V& b) {
                b = mu * b + scaled(w, g, v);
                w -= eta * b;
            });
        } else if (momentum == 0) {
            sweep(
                [=](V& w, V g, V& v, V& a) { w -= eta * centered_scaled(w, g, v, a); });
        } else {
            sweep([=](V& w, V g, V& v, V& b, V& a) {
                b = mu * b + centered_scaled(w, g, v, a);
                w -= eta * b;
            });
        }
    }
};

// Adadelta (Zeiler 2012, arXiv:1212.5701):
//   v <- rho v + (1 - rho) g^2
//   d = sqrt(u + eps) / sqrt(v + eps) * g
//   u <- rho u + (1 - rho) d^2
//   w <- w - lr d
struct Adadelta {
    static constexpr const char* kKind = "adadelta";
    double lr = 1.0;
    double rho = 0.9;
    double eps = 1e-6;
    double weight_decay = 0;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Adadelta::lr), field("rho", &Adadelta::rho),
                          field("eps", &Adadelta::eps),
                          field("weight_decay", &Adadelta::weight_decay),
                          field("maximize", &Adadelta::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require(rho >= 0 && rho <= 1, "rho", rho, "in [0, 1]");
        require_not_negative("eps", eps);
        require_not_negative("weight_decay", weight_decay);
    }
    Slots slots() const { return {{"square_avg"}, {"acc_delta"}}; }

    using Scalars = NoScalars;
    Scalars scalars(const Step&) const { return {}; }

    template <class T, class Sweep>
    void update(const Scalars&, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const Gradient<T> gradient(maximize, weight_decay);
        const RunningMean<T> mean(rho);
        const V eta = lanes<T>(rate), epsilon = lanes<T>(eps);
        sweep([=](V& w, V g, V& v, V& u) {
            g = gradient(w, g);
            v = mean(v, g * g);
            const V d = simd::sqrt((u + epsilon) / (v + epsilon)) * g;
            u = mean(u, d * d);
            w -= eta * d;
        });
    }
};

}  // namespace fastnn::optim
