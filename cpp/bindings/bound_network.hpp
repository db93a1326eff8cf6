// The network as Python holds it, and its data as the core wants it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "bindings/bound_csr.hpp"
#include "fastnn/core/error.hpp"
#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/nn/network.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

// Who is using a network: any number of readers, or one writer. A clash is an error in
// the user's program and told as such, never undefined behaviour.
class Usage {
public:
    class Reading {
    public:
        explicit Reading(Usage& usage) : usage_(usage) {
            int n = usage_.users_.load();
            do {
                if (n < 0) busy("the network is being trained by another thread");
            } while (!usage_.users_.compare_exchange_weak(n, n + 1));
        }
        ~Reading() { --usage_.users_; }
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;

    private:
        Usage& usage_;
    };
    class Writing {
    public:
        explicit Writing(Usage& usage) : usage_(usage) {
            const std::thread::id self = std::this_thread::get_id();
            std::thread::id writer;  // nobody
            first_ = usage_.writer_.compare_exchange_strong(writer, self);
            int none = 0;
            if ((first_ || writer == self) &&
                usage_.users_.compare_exchange_strong(none, -1)) {
                return;
            }
            if (first_) usage_.writer_ = std::thread::id();
            busy("the network is in use by another thread");
        }
        ~Writing() {
            usage_.users_ = 0;
            if (first_) usage_.writer_ = std::thread::id();
        }

        // Lets readers in for a while, then waits until they are done. Other threads
        // may still not write; this one may, as a callback that trains does.
        template <class Pause>
        auto pause(Pause&& while_readers_may) {
            struct Resume {
                Usage& usage;
                ~Resume() {
                    int none = 0;
                    while (!usage.users_.compare_exchange_weak(none, -1)) {
                        none = 0;
                        std::this_thread::yield();
                    }
                }
            };
            usage_.users_ = 0;
            const Resume resume{usage_};
            return while_readers_may();
        }
        Writing(const Writing&) = delete;
        Writing& operator=(const Writing&) = delete;

    private:
        Usage& usage_;
        bool first_;  // not within a pause of this thread's own
    };

private:
    [[noreturn]] static void busy(const char* what) {
        throw std::runtime_error(std::string(what) +
                                 ": finish that call first, or work on a net.copy()");
    }
    std::atomic<int> users_{0};  // readers, or -1: the writer
    std::atomic<std::thread::id> writer_{};
};

// One network in float or double.
template <class T>
struct BoundNetwork {
    Network<T> network;
    Usage usage;
};

// C-contiguous arrays of the network's dtype; Python has seen to it.
template <class T>
using DenseArray = py::array_t<T, py::array::c_style>;

// Features, targets and weights as views; the arrays are kept alive beside them.
template <class T>
struct BoundSamples {
    py::object x;
    py::object y;
    std::optional<DenseArray<T>> w;
    std::unique_ptr<Judge<T>> judge;  // of a custom loss
    Samples<T> samples;
};

// `loss` is the dict of the loss to come: a custom one brings its judge, and perhaps
// targets that it alone understands.
template <class T>
BoundSamples<T> bind_samples(const Network<T>& network,
                             const py::object& x,
                             const py::object& y,
                             const py::object& w,
                             const py::dict& loss);

}  // namespace fastnn::bindings
