// Long calls that Ctrl-C ends early.
#pragma once

#include <chrono>

#include "bindings/running.hpp"

namespace fastnn::bindings {

// Whether a signal such as Ctrl-C is waiting, or another thread wants this one to stop.
// Asks Python at most every 20 ms, and only where Python runs signal handlers: on its
// main thread.
class SignalWatch {
public:
    SignalWatch() {
        const py::module_ threading = py::module_::import("threading");
        on_main_thread_ =
            threading.attr("current_thread")().is(threading.attr("main_thread")());
    }
    // Without the GIL. True: the handler has raised or a flag was set, the error is set
    // on this thread, or the interpreter is about to end.
    bool raised() {
        if (is_ending()) return true;
        if (stop_ && stop_->is_set()) {
            const py::gil_scoped_acquire acquire;
            PyErr_SetNone(PyExc_KeyboardInterrupt);
            return true;
        }
        const auto now = std::chrono::steady_clock::now();
        if (!on_main_thread_ || now - last_ < std::chrono::milliseconds(20))
            return false;
        last_ = now;
        const py::gil_scoped_acquire acquire;
        return PyErr_CheckSignals() != 0;
    }

private:
    std::shared_ptr<const StopFlag> stop_ = heeded_flag();
    bool on_main_thread_ = false;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Runs without the GIL; a signal handler's error, left on this thread, is raised.
template <class Run>
auto without_gil(Run&& run) {
    auto result = [&] {
        const ReleasedGil released;
        return run();
    }();
    if (PyErr_Occurred()) throw py::error_already_set();
    return result;
}

}  // namespace fastnn::bindings
