// The core module of one CPU level.
#include <pybind11/pybind11.h>

namespace fastnn::bindings {
void register_kernels(pybind11::module_& m);
}

PYBIND11_MODULE(FASTNN_MODULE_NAME, m) {
    m.doc() = "fastnn's core, compiled for one CPU level.";
    m.attr("__version__") = FASTNN_VERSION;
    m.attr("level") = FASTNN_LEVEL_NAME;
    m.attr("eigen_version") = FASTNN_EIGEN_VERSION;
    fastnn::bindings::register_kernels(m);
}
