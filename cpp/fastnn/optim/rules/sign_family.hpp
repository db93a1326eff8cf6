// Rules that use the sign of the gradient only: Rprop, Lion.
#pragma once

#include "fastnn/optim/rules/rule.hpp"

namespace fastnn::optim {

// Rprop (Riedmiller & Braun 1993; the variant "iRprop-" of Igel & Huesken 2000):
//   d <- clamp(d * etas[1] if g g_prev > 0, d * etas[0] if < 0, else d)
//   g <- 0 where g g_prev < 0
//   w <- w - d sign(g),    g_prev <- g
// lr is the first step size of every parameter and nothing else. The sign of g g_prev
// is taken from sign(g) g_prev, which does not underflow.
struct Rprop {
    static constexpr const char* kKind = "rprop";
    double lr = 1e-2;
    std::array<double, 2> etas{0.5, 1.2};
    std::array<double, 2> step_sizes{1e-6, 50};
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Rprop::lr), field("etas", &Rprop::etas),
                          field("step_sizes", &Rprop::step_sizes),
                          field("maximize", &Rprop::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require(etas[0] > 0 && etas[0] < 1, "etas[0]", etas[0], "in (0, 1)");
        require(std::isfinite(etas[1]) && etas[1] > 1, "etas[1]", etas[1],
                "a finite number > 1");
        require_not_negative("step_sizes[0]", step_sizes[0]);
        require(std::isfinite(step_sizes[1]) && step_sizes[1] >= step_sizes[0],
                "step_sizes[1]", step_sizes[1], "a finite number >= step_sizes[0]");
    }
    Slots slots() const { return {{"prev"}, {"step_size", lr}}; }

    using Scalars = NoScalars;
    Scalars scalars(const Step&) const { return {}; }

    template <class T, class Sweep>
    void update(const Scalars&, double /*rate*/, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const V sign = lanes<T>(maximize ? -1 : 1), zero, one = lanes<T>(1);
        const V shrink = lanes<T>(etas[0]), grow = lanes<T>(etas[1]);
        const V smallest = lanes<T>(step_sizes[0]), largest = lanes<T>(step_sizes[1]);
        sweep([=](V& w, V g, V& g_prev, V& d) {
            g = sign * g;
            const V agreement = simd::sign(g) * g_prev;  // no underflow
            const auto turned = agreement < zero;
            const V factor =
                simd::select(turned, shrink, simd::select(zero < agreement, grow, one));
            d = simd::max_with_number(d * factor, smallest);
            d = simd::min_with_number(d, largest);
            g_prev = simd::select(turned, zero, g);
            w -= simd::sign(g_prev) * d;
        });
    }
};

// Lion (Chen et al. 2023, arXiv:2302.06675), with decoupled weight decay:
//   c = b1 m + (1 - b1) g
//   w <- (1 - lr weight_decay) w - lr sign(c)
//   m <- b2 m + (1 - b2) g
struct Lion {
    static constexpr const char* kKind = "lion";
    double lr = 1e-4;
    Betas betas{0.9, 0.99};
    double weight_decay = 0;
    bool maximize = false;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Lion::lr), field("betas", &Lion::betas),
                          field("weight_decay", &Lion::weight_decay),
                          field("maximize", &Lion::maximize)};
    }
    void validate() const {
        require_not_negative("lr", lr);
        require_betas(betas);
        require_not_negative("weight_decay", weight_decay);
    }
    Slots slots() const { return {{"exp_avg"}}; }

    using Scalars = NoScalars;
    Scalars scalars(const Step&) const { return {}; }

    template <class T, class Sweep>
    void update(const Scalars&, double rate, Sweep&& sweep) const {
        using V = simd::Vec<T>;
        const V sign = lanes<T>(maximize ? -1 : 1);
        const RunningMean<T> look(betas[0]), remember(betas[1]);
        const V eta = lanes<T>(rate), keep = lanes<T>(1 - rate * weight_decay);
        sweep([=](V& w, V g, V& m) {
            g = sign * g;
            w = keep * w - eta * simd::sign(look(m, g));
            m = remember(m, g);
        });
    }
};

}  // namespace fastnn::optim
