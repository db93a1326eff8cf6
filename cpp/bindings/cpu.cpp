// fastnn._native._cpu: asks the processor which levels it runs. Apart from the core
// modules because it must load on every processor of the architecture.
#include <algorithm>
#include <stdexcept>
#include <string>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "cpu_features.hpp"

namespace py = pybind11;

namespace {

void require_known(const std::string& level) {
    const auto known = fastnn::cpu::levels();
    if (std::find(known.begin(), known.end(), level) == known.end()) {
        throw std::invalid_argument("level: got '" + level +
                                    "', which is no CPU level of this architecture");
    }
}

std::vector<const char*> required_features(const std::string& level) {
    require_known(level);
    return fastnn::cpu::required_features(level);
}

std::vector<const char*> missing_features(const std::string& level) {
    require_known(level);
    return fastnn::cpu::missing_features(level);
}

}  // namespace

PYBIND11_MODULE(_cpu, m) {
    m.doc() = "Which of the compiled levels this processor runs.";
    m.def("levels", &fastnn::cpu::levels,
          "Names of the CPU levels of this architecture, best first.");
    m.def("required_features", &required_features, py::arg("level"),
          "Every processor feature that the code of `level` may use.");
    m.def("missing_features", &missing_features, py::arg("level"),
          "Features that `level` needs and this processor lacks; empty: it runs.");
}
