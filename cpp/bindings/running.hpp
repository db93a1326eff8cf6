// Calls that run without the GIL, and the end of the interpreter.
//
// A thread that asks for the GIL after the interpreter has ended is ended by Python
// (before 3.14) through unwinding its stack. C++ aborts the process then, wherever a
// destructor or a `catch (...)` is in the way. So the interpreter does not end before
// the calls that daemon threads are in: fits are interrupted, the others awaited.
#pragma once

#include <atomic>
#include <optional>

#include <pybind11/pybind11.h>

namespace fastnn::bindings {

namespace py = pybind11;

// Whether the interpreter is about to end: a long call should too.
bool is_ending() noexcept;

// While it lives the GIL is released, and the interpreter waits for this call. Throws
// std::runtime_error if it is about to end.
class ReleasedGil {
public:
    ReleasedGil();
    ~ReleasedGil();
    ReleasedGil(const ReleasedGil&) = delete;
    ReleasedGil& operator=(const ReleasedGil&) = delete;

private:
    std::optional<py::gil_scoped_release> released_;
};

void register_running(py::module_& m);

}  // namespace fastnn::bindings
