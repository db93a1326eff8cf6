// Which layer reads which: a chain, but for residual blocks.
#pragma once

#include <vector>

#include "fastnn/core/types.hpp"

namespace fastnn {

// What a layer reads is called by the number of the layer it comes from; the features
// come from none.
inline constexpr Index kFeatures = -1;

class Wiring {
public:
    // The next layer reads `input`, and if it ends a residual block `skip` as well.
    void add(Index input) { wires_.push_back({input, kNothing}); }
    void add(Index input, Index skip) { wires_.push_back({input, skip}); }

    Index size() const noexcept { return static_cast<Index>(wires_.size()); }
    Index input_of(Index layer) const noexcept { return at(layer).input; }
    bool has_skip(Index layer) const noexcept { return at(layer).skip != kNothing; }
    Index skip_of(Index layer) const noexcept { return at(layer).skip; }
    // How many layers read what comes from `source`.
    Index readers(Index source) const noexcept {
        Index n = 0;
        for (const Wires& w : wires_) n += (w.input == source) + (w.skip == source);
        return n;
    }

private:
    static constexpr Index kNothing = -2;
    struct Wires {
        Index input;
        Index skip;
    };
    const Wires& at(Index layer) const noexcept {
        return wires_[static_cast<std::size_t>(layer)];
    }

    std::vector<Wires> wires_;  // by layer
};

}  // namespace fastnn
