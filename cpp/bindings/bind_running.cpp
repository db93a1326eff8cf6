#include <chrono>
#include <stdexcept>
#include <thread>

#include "bindings/running.hpp"

namespace fastnn::bindings {
namespace {

std::atomic<bool> ending{false};
std::atomic<int> running{0};        // calls without the GIL, of all threads
thread_local int running_here = 0;  // of this thread: a callback may call again
thread_local std::shared_ptr<const StopFlag> heeded;

// Runs with the GIL when the interpreter begins to end.
void end() {
    constexpr auto kLongest = std::chrono::seconds(5);
    ending = true;
    const py::gil_scoped_release release;
    const auto deadline = std::chrono::steady_clock::now() + kLongest;
    while (running > 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace

bool is_ending() noexcept { return ending.load(std::memory_order_relaxed); }

std::shared_ptr<const StopFlag> heeded_flag() noexcept { return heeded; }

ReleasedGil::ReleasedGil() {
    if (is_ending()) throw std::runtime_error("Python is about to exit");
    ++running;
    ++running_here;
    released_.emplace();
}

ReleasedGil::~ReleasedGil() {
    released_.reset();
    --running_here;
    --running;
}

void register_running(py::module_& m) {
    py::class_<StopFlag, std::shared_ptr<StopFlag>>(m, "StopFlag", py::module_local())
        .def(py::init<>())
        .def("set", &StopFlag::set, "From any thread, once and for all.");
    m.def(
        "heed", [](std::shared_ptr<StopFlag> flag) { heeded = std::move(flag); },
        py::arg("flag").none(false),
        "Let this flag end the fits of this thread from now on, by a "
        "KeyboardInterrupt.");
    py::module_::import("atexit").attr("register")(py::cpp_function(&end));
    const py::module_ os = py::module_::import("os");
    if (!py::hasattr(os, "register_at_fork")) return;
    // Other threads' calls have no thread in the child.
    os.attr("register_at_fork")(py::arg("after_in_child") =
                                    py::cpp_function([] { running = running_here; }));
}

}  // namespace fastnn::bindings
