// Adam with another first or second moment: NAdam, RAdam.
#pragma once

#include "fastnn/optim/rules/rule.hpp"

namespace fastnn::optim {

// NAdam, Adam with Nesterov momentum (Dozat 2016):
//   mu_t = b1 (1 - 0.96^(t momentum_decay) / 2),    M_t = mu_1 ... mu_t
//   m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
//   w <- w - lr (g (1 - mu_t) / (1 - M_t) + m mu_{t+1} / (1 - M_{t+1}))
//            / (sqrt(v / (1 - b2^t)) + eps)
struct Nadam {
    static constexpr const char* kKind = "nadam";
    double lr = 2e-3;
    Betas betas{0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;
    double momentum_decay = 4e-3;
    bool decoupled_weight_decay = false;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{
            field("lr", &Nadam::lr),
            field("betas", &Nadam::betas),
            field("eps", &Nadam::eps),
            field("weight_decay", &Nadam::weight_decay),
            field("momentum_decay", &Nadam::momentum_decay),
            field("decoupled_weight_decay", &Nadam::decoupled_weight_decay),
            field("maximize", &Nadam::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_betas(betas);
        require_not_negative("eps", eps);
        require_not_negative("weight_decay", weight_decay);
        require_not_negative("momentum_decay", momentum_decay);
    }
    Slots slots() const { return {{"exp_avg"}, {"exp_avg_sq"}}; }

    double mu(std::int64_t t) const {
        const double decay = std::pow(0.96, static_cast<double>(t) * momentum_decay);
        return betas[0] * (1 - 0.5 * decay);
    }

    struct Scalars {
        double of_gradient;  // (1 - mu_t) / (1 - M_t)
        double of_mean;      // mu_{t+1} / (1 - M_{t+1})
        double unbias;       // 1 / sqrt(1 - b2^t)
    };
    Scalars scalars(const Step& step) const {
        const double next = mu(step.t + 1);
        return {(1 - mu(step.t)) / (1 - step.mu_product),
                next / (1 - step.mu_product * next),
                1 / std::sqrt(bias_corrections(betas, step.t).second)};
    }

    template <class T, class Sweep>
    void update(const Scalars& s, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const double coupled = decoupled_weight_decay ? 0 : weight_decay;
        const double decoupled = decoupled_weight_decay ? weight_decay : 0;
        const Gradient<T> gradient(maximize, coupled);
        const RunningMean<T> first(betas[0]), second(betas[1]);
        const V keep = lanes<T>(1 - rate * decoupled);
        const V eta_g = lanes<T>(rate * s.of_gradient);
        const V eta_m = lanes<T>(rate * s.of_mean);
        const V unbias = lanes<T>(s.unbias), epsilon = lanes<T>(eps);
        sweep([=](V& w, V g, V& m, V& v) {
            g = gradient(w, g);
            m = first(m, g);
            v = second(v, g * g);
            w = keep * w - (eta_g * g + eta_m * m) / (simd::sqrt(v) * unbias + epsilon);
        });
    }
};

// RAdam, rectified Adam (Liu et al. 2020, arXiv:1908.03265):
//   m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
//   rho_inf = 2 / (1 - b2) - 1,    rho = rho_inf - 2 t b2^t / (1 - b2^t)
//   r^2 = (rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho)
//   w <- w - lr m / (1 - b1^t) * d
//   d = r sqrt(1 - b2^t) / (sqrt(v) + eps)  if rho > 5  else 1
struct Radam {
    static constexpr const char* kKind = "radam";
    double lr = 1e-3;
    Betas betas{0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;
    bool decoupled_weight_decay = false;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{
            field("lr", &Radam::lr),
            field("betas", &Radam::betas),
            field("eps", &Radam::eps),
            field("weight_decay", &Radam::weight_decay),
            field("decoupled_weight_decay", &Radam::decoupled_weight_decay),
            field("maximize", &Radam::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_betas(betas);
        require_not_negative("eps", eps);
        require_not_negative("weight_decay", weight_decay);
    }
    Slots slots() const { return {{"exp_avg"}, {"exp_avg_sq"}}; }

    struct Scalars {
        double bias;           // 1 - b1^t
        double rectification;  // r sqrt(1 - b2^t); 0 while v is too young to be used
    };
    Scalars scalars(const Step& step) const {
        const auto bias = bias_corrections(betas, step.t);
        const double rho_inf = 2 / (1 - betas[1]) - 1;
        const double rho =
            rho_inf - 2 * static_cast<double>(step.t) * (1 - bias.second) / bias.second;
        if (!(rho > 5)) return {bias.first, 0};
        const double r2 =
            (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho);
        return {bias.first, std::sqrt(r2 * bias.second)};
    }

    template <class T, class Sweep>
    void update(const Scalars& s, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const double coupled = decoupled_weight_decay ? 0 : weight_decay;
        const double decoupled = decoupled_weight_decay ? weight_decay : 0;
        const Gradient<T> gradient(maximize, coupled);
        const RunningMean<T> first(betas[0]), second(betas[1]);
        const V keep = lanes<T>(1 - rate * decoupled), epsilon = lanes<T>(eps);
        const V eta = lanes<T>(rate / s.bias);
        const V eta_r = lanes<T>(rate / s.bias * s.rectification);
        if (s.rectification > 0) {
            sweep([=](V& w, V g, V& m, V& v) {
                g = gradient(w, g);
                m = first(m, g);
                v = second(v, g * g);
                w = keep * w - eta_r * m / (simd::sqrt(v) + epsilon);
            });
        } else {
            sweep([=](V& w, V g, V& m, V& v) {
                g = gradient(w, g);
                m = first(m, g);
                v = second(v, g * g);
                w = keep * w - eta * m;
            });
        }
    }
};

}  // namespace fastnn::optim
