// Rules whose step is proportional to the gradient: SGD, ASGD.
#pragma once

#include <algorithm>

#include "fastnn/optim/rules/rule.hpp"

namespace fastnn::optim {

// Stochastic gradient descent with momentum (Polyak 1964; Nesterov's variant in
// the form of Sutskever et al. 2013):
//   b <- momentum b + (1 - dampening) g        (b = g at the first step)
//   w <- w - lr g    or    w - lr b    or, nesterov,    w - lr (g + momentum b)
struct Sgd {
    static constexpr const char* kKind = "sgd";
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Sgd::lr),
                          field("momentum", &Sgd::momentum),
                          field("dampening", &Sgd::dampening),
                          field("weight_decay", &Sgd::weight_decay),
                          field("nesterov", &Sgd::nesterov),
                          field("maximize", &Sgd::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_not_negative("momentum", momentum);
        require_finite("dampening", dampening);
        require_not_negative("weight_decay", weight_decay);
        require(!nesterov || momentum > 0, "momentum", momentum,
                "> 0 when nesterov is true");
        require(!nesterov || dampening == 0, "dampening", dampening,
                "0 when nesterov is true");
    }
    Slots slots() const { return {{"momentum_buffer", 0, momentum != 0}}; }

    struct Scalars {
        double add;  // the weight of g in b
    };
    Scalars scalars(const Step& step) const {
        return {step.t == 1 ? 1 : 1 - dampening};
    }

    template <class T, class Sweep>
    void update(const Scalars& s, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const Gradient<T> gradient(maximize, weight_decay);
        const V eta = lanes<T>(rate), mu = lanes<T>(momentum), add = lanes<T>(s.add);
        if (momentum == 0) {
            sweep([=](V& w, V g) { w -= eta * gradient(w, g); });
        } else if (nesterov) {
            sweep([=](V& w, V g, V& b) {
                g = gradient(w, g);
                b = mu * b + add * g;
                w -= eta * (g + mu * b);
            });
        } else {
            sweep([=](V& w, V g, V& b) {
                b = mu * b + add * gradient(w, g);
                w -= eta * b;
            });
        }
    }
};

// Averaged stochastic gradient descent (Polyak & Juditsky 1992; rates of Xu 2011):
//   eta = lr / (1 + lambd lr (t - 1))^alpha,    mu = 1 / max(1, t - 1 - t0)
//   w <- (1 - lambd eta) w - eta g,    ax <- ax + mu (w - ax)
// eta follows a change of lr at once; torch's one step later.
struct Asgd {
    static constexpr const char* kKind = "asgd";
    double lr = 1e-2;
    double lambd = 1e-4;
    double alpha = 0.75;
    double t0 = 1e6;
    double weight_decay = 0;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Asgd::lr),
                          field("lambd", &Asgd::lambd),
                          field("alpha", &Asgd::alpha),
                          field("t0", &Asgd::t0),
                          field("weight_decay", &Asgd::weight_decay),
                          field("maximize", &Asgd::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_not_negative("lambd", lambd);
        require_not_negative("alpha", alpha);
        require_not_negative("t0", t0);
        require_not_negative("weight_decay", weight_decay);
    }
    Slots slots() const { return {{"ax"}}; }

    struct Scalars {
        double done;  // steps before this one
        double mu;
    };
    Scalars scalars(const Step& step) const {
        const auto done = static_cast<double>(step.t - 1);
        return {done, 1 / std::max(1.0, done - t0)};
    }

    template <class T, class Sweep>
    void update(const Scalars& s, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const Gradient<T> gradient(maximize, weight_decay);
        const double eta_t = rate / std::pow(1 + lambd * rate * s.done, alpha);
        const V eta = lanes<T>(eta_t), keep = lanes<T>(1 - lambd * eta_t);
        const V mu = lanes<T>(s.mu);
        if (s.mu == 1) {
            sweep([=](V& w, V g, V& ax) {
                w = keep * w - eta * gradient(w, g);
                ax = w;
            });
        } else {
            sweep([=](V& w, V g, V& ax) {
                w = keep * w - eta * gradient(w, g);
                ax += mu * (w - ax);
            });
        }
    }
};

}  // namespace fastnn::optim
