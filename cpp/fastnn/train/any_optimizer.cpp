#include "fastnn/train/any_optimizer.hpp"

#include <algorithm>

#include "fastnn/core/error.hpp"

namespace fastnn {
namespace {

template <class T>
Buffer<T> copy_of(VectorView<const T> values) {
    Buffer<T> copy(values.size);
    std::copy_n(values.data, values.size, copy.data());
    return copy;
}

template <class T>
void require_slot(const std::pair<std::string, Buffer<T>>& slot,
                  const std::string& name,
                  Index n_parameters) {
    require(slot.first == name && slot.second.size() == n_parameters, "slot",
            slot.first, name + ", as long as the parameters");
}

std::string pair_name(const char* vector, Index i) {
    return std::string(vector) + "." + std::to_string(i);
}

template <class T>
NamedSlots<T> slots_in(const optim::Optimizer<T>& optimizer) {
    NamedSlots<T> named;
    Index k = 0;
    for (const optim::Slot& slot : optimizer.slots()) {
        named.emplace_back(slot.name, copy_of<T>(optimizer.slot(k++)));
    }
    return named;
}

template <class T>
NamedSlots<T> slots_in(const optim::LbfgsMinimizer<T>& minimizer) {
    NamedSlots<T> named;
    for (Index i = 0; i < minimizer.history().size(); ++i) {
        named.emplace_back(pair_name("s", i), copy_of<T>(minimizer.history().s(i)));
        named.emplace_back(pair_name("y", i), copy_of<T>(minimizer.history().y(i)));
    }
    return named;
}

template <class T>
void restore_in(optim::Optimizer<T>& optimizer,
                std::int64_t steps,
                const NamedSlots<T>& named) {
    const optim::Slots& slots = optimizer.slots();
    require(static_cast<Index>(named.size()) == slots.size(), "the number of slots",
            named.size(), "the optimizer's");
    std::size_t k = 0;
    for (const optim::Slot& slot : slots) {
        require_slot(named[k++], slot.name, optimizer.n_parameters());
    }
    Index position = 0;
    for (const auto& [name, values] : named) {
        std::copy_n(values.data(), values.size(), optimizer.slot(position++).data);
    }
    optimizer.restore_step(steps);
}

template <class T>
void restore_in(optim::LbfgsMinimizer<T>& minimizer,
                std::int64_t steps,
                const NamedSlots<T>& named) {
    const auto pairs = static_cast<Index>(named.size() / 2);
    require(named.size() % 2 == 0 && pairs <= minimizer.history().most_pairs(),
            "the number of slots", named.size(), "two for each pair of the history");
    for (Index i = 0; i < pairs; ++i) {
        const auto k = static_cast<std::size_t>(2 * i);
        require_slot(named[k], pair_name("s", i), minimizer.n_parameters());
        require_slot(named[k + 1], pair_name("y", i), minimizer.n_parameters());
    }
    minimizer.reset();
    for (std::size_t k = 0; k < named.size(); k += 2) {
        minimizer.history().restore(named[k].second.view(), named[k + 1].second.view());
    }
    minimizer.restore_runs(steps);
}

}  // namespace

template <class T>
AnyOptimizer<T> make_optimizer(const optim::Method& method, Index n_parameters) {
    if (const auto* lbfgs = std::get_if<optim::Lbfgs>(&method)) {
        return optim::LbfgsMinimizer<T>(*lbfgs, n_parameters);
    }
    return optim::Optimizer<T>(std::get<optim::Rule>(method), n_parameters);
}

template <class T>
std::int64_t steps_of(const AnyOptimizer<T>& optimizer) {
    if (const auto* lbfgs = std::get_if<optim::LbfgsMinimizer<T>>(&optimizer)) {
        return lbfgs->runs();
    }
    return std::get<optim::Optimizer<T>>(optimizer).step();
}

template <class T>
NamedSlots<T> slots_of(const AnyOptimizer<T>& optimizer) {
    return std::visit([](const auto& o) { return slots_in(o); }, optimizer);
}

template <class T>
void restore(AnyOptimizer<T>& optimizer,
             std::int64_t steps,
             const NamedSlots<T>& slots) {
    std::visit([&](auto& o) { restore_in(o, steps, slots); }, optimizer);
}

#define FASTNN_INSTANTIATE(T)                                                \
    template AnyOptimizer<T> make_optimizer<T>(const optim::Method&, Index); \
    template std::int64_t steps_of<T>(const AnyOptimizer<T>&);               \
    template NamedSlots<T> slots_of<T>(const AnyOptimizer<T>&);              \
    template void restore<T>(AnyOptimizer<T>&, std::int64_t, const NamedSlots<T>&);
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
