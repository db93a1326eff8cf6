#include "fastnn/nn/layer_spec.hpp"

#include <algorithm>
#include <new>

#include "fastnn/nn/init.hpp"

namespace fastnn {
namespace {

void check_units(Index units) {
    require(units >= 1, "units", units, "an integer >= 1");
}

void check_in_features(const std::optional<Index>& in_features) {
    require(!in_features || *in_features >= 1, "in_features", in_features.value_or(0),
            "an integer >= 1, or None to infer it");
}

void check_init(const std::string& init) {
    const auto& names = init_names();
    if (std::find(names.begin(), names.end(), init) != names.end()) return;
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    require(false, "init", "'" + init + "'", "one of " + known);
}

}  // namespace

void spec::Dense::validate() const {
    check_units(units);
    check_in_features(in_features);
    require_not_negative("lr_scale", lr_scale);
    require_below_one("dropconnect", dropconnect);
    check_init(init);
}

void spec::Maxout::validate() const {
    check_units(units);
    require(pieces >= 2, "pieces", pieces,
            "an integer >= 2: of a single piece there is no largest, that is Dense");
    check_in_features(in_features);
    require_not_negative("lr_scale", lr_scale);
    check_init(init);
}

Index spec::Maxout::rows() const {
    Index rows = 0;
    if (__builtin_mul_overflow(units, pieces, &rows)) throw std::bad_alloc();
    return rows;
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
    require_not_negative("lr_scale", lr_scale);
    require(lr_scale == 1.0 || projection.value_or(true), "lr_scale", lr_scale,
            "left out where there is no projection: the layers within have their own");
    const std::string deepest = std::to_string(kDeepest);
    require(depth() <= kDeepest, "the depth of blocks within blocks", depth(),
            "at most " + deepest);
}

}  // namespace fastnn
