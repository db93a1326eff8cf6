// The core module of one CPU level.
#include <exception>
#include <new>

#include <pybind11/pybind11.h>

#include "fastnn/core/allocations.hpp"

namespace fastnn::bindings {

void register_augment(pybind11::module_& m);
void register_csr(pybind11::module_& m);
void register_kernels(pybind11::module_& m);
void register_optim(pybind11::module_& m);
void register_lbfgs(pybind11::module_& m);
void register_networks(pybind11::module_& m);
void register_trainers(pybind11::module_& m);
void register_diagnose(pybind11::module_& m);
void register_running(pybind11::module_& m);

}  // namespace fastnn::bindings

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* kCompiler = "g++ " __VERSION__;
#else
constexpr const char* kCompiler = "unknown";
#endif

}  // namespace

PYBIND11_MODULE(FASTNN_MODULE_NAME, m) {
    pybind11::register_local_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const std::bad_alloc&) {
            PyErr_SetString(PyExc_MemoryError,
                            "not enough memory for the arrays of this call: pass fewer "
                            "rows at a time, or a smaller batch_size");
        }
    });
    m.doc() = "fastnn's core, compiled for one CPU level.";
    m.attr("__version__") = FASTNN_VERSION;
    m.attr("level") = FASTNN_LEVEL_NAME;
    m.attr("eigen_version") = FASTNN_EIGEN_VERSION;
    m.attr("compiler") = kCompiler;
    m.def("allocation_count", &fastnn::allocation_count,
          "Heap allocations this module has made so far.");
    fastnn::bindings::register_csr(m);
    m.def("fail_allocations", &fastnn::fail_allocations, pybind11::arg("n"),
          pybind11::arg("count") = 1,
          "Let the n-th allocation from now fail, and count - 1 after it; 0: none.");
    fastnn::bindings::register_augment(m);
    fastnn::bindings::register_kernels(m);
    fastnn::bindings::register_optim(m);
    fastnn::bindings::register_lbfgs(m);
    fastnn::bindings::register_networks(m);
    fastnn::bindings::register_trainers(m);
    fastnn::bindings::register_diagnose(m);
    fastnn::bindings::register_running(m);
}
