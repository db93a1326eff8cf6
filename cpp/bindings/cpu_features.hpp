// Which levels this processor runs. The rows come from cpp/cmake/isa.cmake, the same
// table that gives the compiler its flags. Compiled for the baseline only.
#pragma once

#include <string_view>
#include <vector>

namespace fastnn::cpu {

struct Feature {
    std::string_view level;
    const char* name;
    bool present;
};

// Every level of this architecture, best first.
inline std::vector<const char*> levels() {
    return {
#define FASTNN_LEVEL(level) level,
#define FASTNN_FEATURE(level, feature)
#include "isa_table.inc"
#undef FASTNN_LEVEL
#undef FASTNN_FEATURE
    };
}

// Every feature that some level needs, asked of the processor now.
inline std::vector<Feature> features() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
#endif
    return {
#define FASTNN_LEVEL(level)
#define FASTNN_FEATURE(level, feature) \
    {level, feature, __builtin_cpu_supports(feature) != 0},
#include "isa_table.inc"
#undef FASTNN_LEVEL
#undef FASTNN_FEATURE
    };
}

// Everything the compiler may use in `level`.
inline std::vector<const char*> required_features(std::string_view level) {
    std::vector<const char*> required;
    for (const Feature& feature : features()) {
        if (feature.level == level) required.push_back(feature.name);
    }
    return required;
}

// What `level` needs and this processor lacks; empty: it runs here.
inline std::vector<const char*> missing_features(std::string_view level) {
    std::vector<const char*> missing;
    for (const Feature& feature : features()) {
        if (feature.level == level && !feature.present) missing.push_back(feature.name);
    }
    return missing;
}

}  // namespace fastnn::cpu
