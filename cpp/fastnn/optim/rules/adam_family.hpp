// Rules with running means of the gradient and of its size: Adam, AdamW, Adamax.
#pragma once

#include "fastnn/optim/rules/rule.hpp"

namespace fastnn::optim {

// Adam (Kingma & Ba 2015, arXiv:1412.6980; amsgrad: Reddi, Kale & Kumar 2018;
// decoupled_weight_decay: Loshchilov & Hutter 2019, arXiv:1711.05101):
//   m <- b1 m + (1 - b1) g
//   v <- b2 v + (1 - b2) g^2
//   w <- w - lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps)
// With amsgrad the largest v so far stands in the last line. Decoupled, the weights
// decay by w <- (1 - lr weight_decay) w and g stays as it is.
struct Adam {
    static constexpr const char* kKind = "adam";
    double lr = 1e-3;
    Betas betas{0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;
    bool amsgrad = false;
    bool maximize = false;
    bool decoupled_weight_decay = false;

    static constexpr auto fields() {
        return std::tuple{
            field("lr", &Adam::lr),
            field("betas", &Adam::betas),
            field("eps", &Adam::eps),
            field("weight_decay", &Adam::weight_decay),
            field("amsgrad", &Adam::amsgrad),
            field("maximize", &Adam::maximize),
            field("decoupled_weight_decay", &Adam::decoupled_weight_decay)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_betas(betas);
        require_not_negative("eps", eps);
        require_not_negative("weight_decay", weight_decay);
    }
    Slots slots() const {
        return {{"exp_avg"}, {"exp_avg_sq"}, {"max_exp_avg_sq", 0, amsgrad}};
    }

    using Scalars = BiasCorrections;
    Scalars scalars(const Step& step) const { return bias_corrections(betas, step.t); }

    template <class T, class Sweep>
    void update(const Scalars& bias, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const double coupled = decoupled_weight_decay ? 0 : weight_decay;
        const double decoupled = decoupled_weight_decay ? weight_decay : 0;
        const Gradient<T> gradient(maximize, coupled);
        const RunningMean<T> first(betas[0]), second(betas[1]);
        const V keep = lanes<T>(1 - rate * decoupled);
        const V eta = lanes<T>(rate / bias.first), epsilon = lanes<T>(eps);
        const V unbias = lanes<T>(1 / std::sqrt(bias.second));
        if (amsgrad) {
            sweep([=](V& w, V g, V& m, V& v, V& v_max) {
                g = gradient(w, g);
                m = first(m, g);
                v = second(v, g * g);
                v_max = simd::max_with_number(v, v_max);
                w = keep * w - eta * m / (simd::sqrt(v_max) * unbias + epsilon);
            });
        } else {
            sweep([=](V& w, V g, V& m, V& v) {
                g = gradient(w, g);
                m = first(m, g);
                v = second(v, g * g);
                w = keep * w - eta * m / (simd::sqrt(v) * unbias + epsilon);
            });
        }
    }
};

// AdamW: Adam with decoupled weight decay, 0.01 unless told.
struct AdamW : Adam {
    static constexpr const char* kKind = "adamw";

    AdamW() {
        weight_decay = 1e-2;
        decoupled_weight_decay = true;
    }
    static constexpr auto fields() {
        return std::tuple{field("lr", &AdamW::lr),
                          field("betas", &AdamW::betas),
                          field("eps", &AdamW::eps),
                          field("weight_decay", &AdamW::weight_decay),
                          field("amsgrad", &AdamW::amsgrad),
                          field("maximize", &AdamW::maximize)};
    }
};

// Adamax, Adam in the infinity norm (Kingma & Ba 2015, section 7):
//   m <- b1 m + (1 - b1) g
//   u <- max(b2 u, |g| + eps)
//   w <- w - lr / (1 - b1^t) * m / u
struct Adamax {
    static constexpr const char* kKind = "adamax";
    double lr = 2e-3;
    Betas betas{0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Adamax::lr), field("betas", &Adamax::betas),
                          field("eps", &Adamax::eps),
                          field("weight_decay", &Adamax::weight_decay),
                          field("maximize", &Adamax::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_betas(betas);
        require_not_negative("eps", eps);
        require_not_negative("weight_decay", weight_decay);
    }
    Slots slots() const { return {{"exp_avg"}, {"exp_inf"}}; }

    using Scalars = BiasCorrections;
    Scalars scalars(const Step& step) const { return bias_corrections(betas, step.t); }

    template <class T, class Sweep>
    void update(const Scalars& bias, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const Gradient<T> gradient(maximize, weight_decay);
        const RunningMean<T> first(betas[0]);
        const V eta = lanes<T>(rate / bias.first), epsilon = lanes<T>(eps);
        const V shrink = lanes<T>(betas[1]);
        sweep([=](V& w, V g, V& m, V& u) {
            g = gradient(w, g);
            m = first(m, g);
            u = simd::max_with_number(simd::abs(g) + epsilon, shrink * u);
            w -= eta * m / u;
        });
    }
};

}  // namespace fastnn::optim
