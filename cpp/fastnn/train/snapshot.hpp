// What a run can go back to: a network's numbers at some moment.
#pragma once

#include <cstdint>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/nn/network.hpp"

namespace fastnn {

template <class T>
bool is_finite(const Network<T>& network) noexcept {
    return all_finite<T>(network.parameters().view()) &&
           all_finite<T>(network.statistics().view());
}

// What is wrong with a network that is not finite. A variance overflows where inputs
// are too large to be squared, though all weights are well.
template <class T>
const char* what_broke(const Network<T>& network) noexcept {
    return all_finite<T>(network.parameters().view())
               ? "a running statistic became infinite or nan"
               : "a weight became infinite or nan";
}

template <class T>
struct Snapshot {
    Buffer<T> parameters;
    Buffer<T> statistics;
    Buffer<std::int64_t> counters;

    bool empty() const noexcept { return parameters.size() == 0; }
    void take(const Network<T>& network) {
        parameters = network.parameters();
        statistics = network.statistics();
        counters = network.counters();
    }
    void put_back(Network<T>& network) const {
        network.parameters() = parameters;
        network.statistics() = statistics;
        network.counters() = counters;
    }
};

}  // namespace fastnn
