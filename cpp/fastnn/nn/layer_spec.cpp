#include "fastnn/nn/layer_spec.hpp"

#include <algorithm>

#include "fastnn/nn/init.hpp"

namespace fastnn {

void spec::Dense::validate() const {
    require(units >= 1, "units", units, "an integer >= 1");
    require(!in_features || *in_features >= 1, "in_features", in_features.value_or(0),
            "an integer >= 1, or None to infer it");
    require_not_negative("lr_scale", lr_scale);
    const auto& names = init_names();
    if (std::find(names.begin(), names.end(), init) == names.end()) {
        std::string known;
        for (const std::string& name : names)
            known += (known.empty() ? "" : ", ") + name;
        require(false, "init", "'" + init + "'", "one of " + known);
    }
}

int spec::Residual::depth() const {
    int inner = 0;
    for (const LayerSpec& layer : layers) {
        const auto* block = std::get_if<Residual>(&layer);
        if (block) inner = std::max(inner, block->depth());
    }
    return 1 + inner;
}

void spec::Residual::validate() const {
    require(!layers.empty(), "layers", "none", "at least one layer");
    require(survival > 0 && survival <= 1, "survival", survival, "in (0, 1]");
    const std::string deepest = std::to_string(kDeepest);
    require(depth() <= kDeepest, "the depth of blocks within blocks", depth(),
            "at most " + deepest);
}

}  // namespace fastnn
