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

}  // namespace fastnn
