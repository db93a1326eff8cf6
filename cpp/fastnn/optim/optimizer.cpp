#include "fastnn/optim/optimizer.hpp"

#include <utility>

#include "fastnn/kernels/simd.hpp"

namespace fastnn::optim {
namespace {

// The number of slots an element function (V& w, V g, V& slot...) takes.
template <class F, class V, class... Slot>
constexpr Index slot_count(void (F::*)(V&, V, Slot&...) const) {
    return static_cast<Index>(sizeof...(Slot));
}

// Runs an element function over n elements, a register of every array at a
// time.
template <class T, class F, std::size_t... K>
void sweep(Index n,
           T* params,
           const T* grads,
           T* const* slots,
           F element,
           std::index_sequence<K...>) {
    using V = simd::Vec<T>;
    // Local copies: the compiler keeps them in registers.
    T* const state[sizeof...(K) + 1] = {slots[K]..., nullptr};
    simd::for_each<T>(n, [&](auto at) {
        V w = at.load(params);
        V s[sizeof...(K) + 1] = {at.load(state[K])..., V()};
        element(w, at.load(grads), s[K]...);
        at.store(params, w);
        (at.store(state[K], s[K]), ...);
    });
}

// Multiplied in the order of the steps, so that a resumed run has the same
// bits. Once the product is far below the rounding of 1 - product, the rest
// changes nothing.
double mu_product_of(const Nadam& rule, std::int64_t t) {
    double product = 1;
    for (std::int64_t i = 1; i <= t && product > 1e-30; ++i) product *= rule.mu(i);
    return product;
}

}  // namespace

RunningRule::RunningRule(const Rule& rule)
    : running_(std::visit(
          [](const auto& r) -> RunningOf<Rule>::type {
              return Running<std::decay_t<decltype(r)>>{r};
          },
          rule)) {}

void RunningRule::set_weight_decay(double weight_decay) {
    std::visit(
        [&](auto& running) {
            if (double* own = weight_decay_in(running.rule)) *own = weight_decay;
        },
        running_);
}

void RunningRule::set_momentum(double momentum) {
    std::visit(
        [&](auto& running) {
            if (double* own = momentum_in(running.rule)) *own = momentum;
            if constexpr (requires { running.rule.has_velocity; }) {
                running.rule.has_velocity = true;
            }
        },
        running_);
}

void RunningRule::set_step(std::int64_t t,
                           double lr,
                           std::optional<double> mu_product) {
    std::visit(
        [&](auto& running) {
            using R = std::decay_t<decltype(running.rule)>;
            if constexpr (std::is_same_v<R, Nadam>) {
                if (mu_product) {
                    step_.mu_product = *mu_product;
                } else if (t == step_.t + 1) {
                    step_.mu_product *= running.rule.mu(t);
                } else if (t != step_.t) {
                    step_.mu_product = mu_product_of(running.rule, t);
                }
            }
            step_.t = t;
            step_.lr = lr;
            if (t > 0) running.scalars = running.rule.scalars(step_);
        },
        running_);
}

template <class T>
void RunningRule::update(Index n,
                         T* params,
                         const T* grads,
                         T* const* slots,
                         double lr_scale) const noexcept {
    const double rate = step_.lr * lr_scale;
    std::visit(
        [&](const auto& running) {
            running.rule.template update<T>(running.scalars, rate, [&](auto element) {
                constexpr Index k = slot_count(&decltype(element)::operator());
                sweep<T>(n, params, grads, slots, element,
                         std::make_index_sequence<static_cast<std::size_t>(k)>());
            });
        },
        running_);
}

template void RunningRule::update(Index,
                                  float*,
                                  const float*,
                                  float* const*,
                                  double) const noexcept;
template void RunningRule::update(Index,
                                  double*,
                                  const double*,
                                  double* const*,
                                  double) const noexcept;

template <class T>
Optimizer<T>::Optimizer(const Rule& rule, Index n_parameters)
    : rule_(rule),
      slots_(slots_of(rule)),
      running_(rule),
      n_parameters_(n_parameters),
      stride_(padded_stride<T>(n_parameters)),
      state_(slots_.size() * stride_) {
    reset();
}

template <class T>
void Optimizer<T>::begin_step(const StepRates& rates) {
    if (rates.weight_decay) running_.set_weight_decay(*rates.weight_decay);
    if (rates.momentum) running_.set_momentum(*rates.momentum);
    running_.set_step(step() + 1, rates.lr);
}

template <class T>
void Optimizer<T>::reset() {
    running_ = RunningRule(rule_);
    Index k = 0;
    for (const Slot& s : slots_) {
        const VectorView<T> view = slot(k++);
        std::fill_n(view.data, view.size, static_cast<T>(s.initial));
    }
}

template <class T>
void Optimizer<T>::restore_step(std::int64_t step) {
    running_.set_step(step, lr());
}

template <class T>
void Optimizer<T>::update(Range r,
                          T* params,
                          const T* grads,
                          double lr_scale) noexcept {
    if (r.size() == 0) return;
    T* slots[Slots::kMax] = {};
    for (Index k = 0; k < slots_.size(); ++k) slots[k] = slot(k).data + r.begin;
    running_.update(r.size(), params + r.begin, grads, slots, lr_scale);
}

template <class T>
VectorView<T> Optimizer<T>::slot(Index k) noexcept {
    return {state_.data() + k * stride_, n_parameters_};
}

template <class T>
VectorView<const T> Optimizer<T>::slot(Index k) const noexcept {
    return {state_.data() + k * stride_, n_parameters_};
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace fastnn::optim
