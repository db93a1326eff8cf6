// What a run can go back to: a network's numbers at some moment.
#pragma once

#include <cstdint>

#include "fastnn/nn/network.hpp"

namespace fastnn {

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
