#include "fastnn/train/averaging.hpp"

#include <algorithm>

#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

constexpr Index kTile = 1 << 15;  // elements: both arrays of a tile stay in L2

// average += rate (x - average). Written so, equal numbers stay as they are; decay *
// average + rate * x would shrink or stretch them by a rounding at every step.
template <class T>
void move_towards(VectorView<const T> x, double rate, T* average) noexcept {
    const simd::Vec<T> r(rate);
    simd::for_each<T>(x.size, [&](auto at) {
        const simd::Vec<T> a = at.load(average);
        at.store(average, fma(r, at.load(x.data) - a, a));
    });
}

}  // namespace

template <class T>
Average<T>::Average(const Averaging& rule, const Network<T>& network, double base_lr)
    : rule_(rule) {
    state_.parameters.resize(network.parameters().size());
    if (is_ema()) state_.statistics.resize(network.statistics().size());
    if (const Swa* swa = std::get_if<Swa>(&rule); swa && swa->schedule.schedule) {
        rate_.emplace(swa->schedule.schedule->schedule, base_lr);
        require(!rate_->monitor(), "SWA: schedule", "'reduce_on_plateau'",
                "a schedule that counts epochs or steps");
    }
}

template <class T>
bool Average<T>::takes(Index epoch, bool ends_epoch) const noexcept {
    const Swa* swa = std::get_if<Swa>(&rule_);
    return !swa || (ends_epoch && epoch >= swa->start);
}

template <class T>
std::optional<double> Average<T>::lr(Index epoch, Index step, Index steps) const {
    if (!rate_) return std::nullopt;
    const Index since = epoch - std::get<Swa>(rule_).start;
    if (since < 0) return std::nullopt;
    return rate_->at(since, since * steps + step);
}

template <class T>
Index Average<T>::tiles() const noexcept {
    return ceil_div(state_.parameters.size(), kTile) +
           ceil_div(state_.statistics.size(), kTile);
}

template <class T>
void Average<T>::run(const Network<T>& network, Index tile) noexcept {
    const Ema* ema = std::get_if<Ema>(&rule_);
    const double rate = ema && ema->decay && !empty()
                            ? 1 - *ema->decay
                            : 1.0 / static_cast<double>(state_.count + 1);
    const Index first = ceil_div(state_.parameters.size(), kTile);
    const bool of_parameters = tile < first;
    const auto x = of_parameters ? network.parameters().view()  //
                                 : network.statistics().view();
    Buffer<T>& average = of_parameters ? state_.parameters : state_.statistics;
    const Range r = tile_range(of_parameters ? tile : tile - first, kTile, x.size);
    move_towards<T>(x.slice(r), rate, average.data() + r.begin);
}

template <class T>
void Average<T>::swap(Network<T>& network) noexcept {
    const auto exchange = [](Buffer<T>& ours, Buffer<T>& theirs) {
        std::swap_ranges(ours.data(), ours.data() + ours.size(), theirs.data());
    };
    exchange(state_.parameters, network.parameters());
    exchange(state_.statistics, network.statistics());
}

template <class T>
void Average<T>::restore(const AverageState<T>& state) {
    require(state.parameters.size() == state_.parameters.size() &&
                state.statistics.size() == state_.statistics.size(),
            "the size of the average", state.parameters.size(), "the network's");
    state_ = state;
}

template class Average<float>;
template class Average<double>;

}  // namespace fastnn
