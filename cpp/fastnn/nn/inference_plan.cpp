#include "fastnn/nn/inference_plan.hpp"

#include <algorithm>

namespace fastnn {

InferencePlan::InferencePlan(const Wiring& wiring, const std::vector<bool>& idle) {
    for (Index k = 0; k < wiring.size(); ++k) {
        Step step;
        step.idle = idle[static_cast<std::size_t>(k)];
        step.input = resolve(wiring.input_of(k));
        if (wiring.has_skip(k)) step.skip = resolve(wiring.skip_of(k));
        steps_.push_back(step);
    }
    assign_buffers(wiring);
}

void InferencePlan::assign_buffers(const Wiring& wiring) {
    std::vector<Index> last_reader(steps_.size() + 1, kFeatures);  // features first
    const auto last = [&](Index source) -> Index& {
        return last_reader[static_cast<std::size_t>(source + 1)];
    };
    for (Index k = 0; k < wiring.size(); ++k) {
        if (step(k).idle) continue;
        last(k) = k;
        last(step(k).input) = k;
        if (wiring.has_skip(k)) last(step(k).skip) = k;
    }
    std::vector<Index> held = {kFeatures};  // what each buffer holds
    for (Index k = 0; k < wiring.size(); ++k) {
        if (step(k).idle) continue;
        const auto dead = [&](Index source) { return last(source) < k; };
        auto buffer = std::find_if(held.begin(), held.end(), dead);
        if (buffer == held.end()) buffer = held.insert(held.end(), k);
        *buffer = k;
        steps_[static_cast<std::size_t>(k)].buffer = buffer - held.begin();
    }
    buffers_ = static_cast<Index>(held.size());
}

}  // namespace fastnn
