// Calls that run without the GIL, and the end of the interpreter.
//
// A thread that asks for the GIL after the interpreter has ended is ended by Python
// (before 3.14) through unwinding its stack. C++ aborts the process then, wherever a
// destructor or a `catch (...)` is in the way. So the interpreter does not end before
// the calls that daemon threads are in: fits are interrupted, the others awaited.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include <pybind11/pybind11.h>

namespace fastnn::bindings {

namespace py = pybind11;

// Whether the interpreter is about to end: a long call should too.
bool is_ending() noexcept;

// A flag by which one thread ends the fits of others, as Ctrl-C, which Python delivers
// to its main thread alone, ends those of that one.
class StopFlag {
public:
    void set() noexcept { set_.store(true, std::memory_order_relaxed); }
    bool is_set() const noexcept { return set_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> set_{false};
};

// The one that this thread was told to heed, or null.
std::shared_ptr<const StopFlag> heeded_flag() noexcept;

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
