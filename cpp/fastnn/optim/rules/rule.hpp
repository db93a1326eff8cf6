// The parts every update rule is made of. A rule is a configuration struct
// (core/fields.hpp) with torch.optim's names and defaults that adds
//
// *  slots(): the state per parameter that its settings need, in order;
// *  Scalars, scalars(step): what one step needs of powers and roots, in double;
// *  update<T>(scalars, lr, sweep): calls sweep with the function of one element,
//
//       sweep([=](V& w, V g, V& slot...) { ... });      V = simd::Vec<T>
//
// w, g and the slots are one register each of parameters, gradient and state.
// Settings choose among such functions or enter as neutral scalars
// (weight_decay = 0 adds 0 * w), so no element ever tests one.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/kernels/simd_names.hpp"

namespace fastnn::optim {

using Betas = std::array<double, 2>;

// One array of state beside the parameters, under the name it has in torch.
struct Slot {
    const char* name = "";
    double initial = 0;
    bool used = true;
    Index position = 0;  // among all slots of the rule, used or not
};

// The slots a rule uses.
class Slots {
public:
    static constexpr Index kMax = 3;

    Slots(std::initializer_list<Slot> slots) {
        Index position = 0;
        for (Slot slot : slots) {
            slot.position = position++;
            if (slot.used) slots_[static_cast<std::size_t>(size_++)] = slot;
        }
    }
    Index size() const noexcept { return size_; }
    const Slot* begin() const noexcept { return slots_.data(); }
    const Slot* end() const noexcept { return slots_.data() + size_; }

private:
    std::array<Slot, kMax> slots_{};
    Index size_ = 0;
};

// Where the optimization stands.
struct Step {
    std::int64_t t = 0;     // 1 at the first update
    double lr = 0;          // of this step
    double mu_product = 1;  // NAdam's mu_1 ... mu_t; 1 for the other rules
};

struct NoScalars {};

// 1 - beta^t: what a running mean that started at zero lacks of its sum of
// weights.
struct BiasCorrections {
    double first = 1;
    double second = 1;
};

inline BiasCorrections bias_corrections(const Betas& betas, std::int64_t t) {
    const auto step = static_cast<double>(t);
    return {1 - std::pow(betas[0], step), 1 - std::pow(betas[1], step)};
}

// A scalar of the formula in every lane.
template <class T>
simd::Vec<T> lanes(double value) {
    return simd::Vec<T>(static_cast<T>(value));
}

// The gradient the rule sees: g <- +-g + weight_decay * w  (minus to maximize).
template <class T>
struct Gradient {
    using V = simd::Vec<T>;
    V sign;
    V decay;

    Gradient(bool maximize, double weight_decay)
        : sign(lanes<T>(maximize ? -1 : 1)), decay(lanes<T>(weight_decay)) {}
    V operator()(V w, V g) const { return sign * g + decay * w; }
};

// m <- b m + (1 - b) x
template <class T>
struct RunningMean {
    using V = simd::Vec<T>;
    V keep;
    V add;

    explicit RunningMean(double b) : keep(lanes<T>(b)), add(lanes<T>(1 - b)) {}
    V operator()(V m, V x) const { return keep * m + add * x; }
};

inline void require_betas(const Betas& betas) {
    require_below_one("betas[0]", betas[0]);
    require_below_one("betas[1]", betas[1]);
}

}  // namespace fastnn::optim
