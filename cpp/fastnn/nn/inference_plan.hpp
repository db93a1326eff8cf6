// In which of few buffers the layers of a network write their outputs in inference.
//
// What a residual block is given must last until the block ends, so a chain takes two
// buffers and each block within blocks one more. Layers that do nothing in inference
// are left out: who reads them reads what they would.
#pragma once

#include <vector>

#include "fastnn/nn/wiring.hpp"

namespace fastnn {

class InferencePlan {
public:
    struct Step {
        bool idle = false;
        Index input = kFeatures;  // of an idle layer: what stands in for it
        Index skip = kFeatures;
        Index buffer = 0;
    };

    InferencePlan() = default;
    // idle[k]: whether layer k does nothing.
    InferencePlan(const Wiring& wiring, const std::vector<bool>& idle);

    const Step& step(Index layer) const noexcept {
        return steps_[static_cast<std::size_t>(layer)];
    }
    // `source`, or what stands in for it.
    Index resolve(Index source) const noexcept {
        return source != kFeatures && step(source).idle ? step(source).input : source;
    }
    // Features that are written out lie in the first of them while they are needed.
    Index buffers() const noexcept { return buffers_; }

private:
    void assign_buffers(const Wiring& wiring);

    std::vector<Step> steps_;  // by layer
    Index buffers_ = 0;
};

}  // namespace fastnn
