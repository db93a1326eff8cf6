// L-BFGS on a function that Python evaluates: it asks for a point and is told value and
// gradient there.
#include <algorithm>

#include <pybind11/numpy.h>

#include "bindings/optim_from_dict.hpp"
#include "fastnn/optim/lbfgs_minimizer.hpp"

namespace fastnn::bindings {
namespace {

using optim::LbfgsStatus;

// Arrays are flat, contiguous and of the minimizer's dtype; Python has seen to it.
template <class T>
class BoundMinimizer {
public:
    using Array = py::array_t<T, py::array::c_style>;

    BoundMinimizer(const py::dict& config, const Array& x)
        : minimizer_(lbfgs_from_dict(config), x.size()) {
        minimizer_.begin(x.data(), minimizer_.config().lr);
    }

    bool ended() const { return minimizer_.status() != LbfgsStatus::kEvaluate; }
    // Copies: a function may keep its argument, and change it.
    Array point() const { return copy_of(minimizer_.point()); }
    Array x() const { return copy_of(minimizer_.x()); }

    void tell(double value, const Array& gradient) {
        require(gradient.size() == minimizer_.n_parameters(), "gradient: size",
                gradient.size(), "the size of x");
        std::copy_n(gradient.data(), gradient.size(), minimizer_.gradient());
        minimizer_.tell(value);
    }

    const optim::LbfgsMinimizer<T>& minimizer() const { return minimizer_; }

private:
    static Array copy_of(const Buffer<T>& buffer) {
        return Array(buffer.size(), buffer.data());
    }

    optim::LbfgsMinimizer<T> minimizer_;
};

template <class T>
void register_minimizer(py::module_& m, const char* name) {
    using namespace py::literals;
    using Bound = BoundMinimizer<T>;
    const auto of_run = [](auto read) {
        return [read](const Bound& run) { return read(run.minimizer()); };
    };
    using Minimizer = optim::LbfgsMinimizer<T>;
    py::class_<Bound>(m, name, py::module_local(), "A run of L-BFGS.")
        .def(py::init<const py::dict&, const typename Bound::Array&>(), "optimizer"_a,
             "x"_a)
        .def_property_readonly("ended", &Bound::ended)
        .def_property_readonly("point", &Bound::point,
                               "Where the function is to be evaluated, a copy.")
        .def("tell", &Bound::tell, "value"_a, "gradient"_a,
             "Take the function at the point.")
        .def_property_readonly("x", &Bound::x,
                               "Where the last iteration ended, a copy.")
        .def_property_readonly("value",
                               of_run([](const Minimizer& run) { return run.value(); }))
        .def_property_readonly("gradient_norm", of_run([](const Minimizer& run) {
                                   return run.largest_gradient();
                               }))
        .def_property_readonly(
            "n_iter", of_run([](const Minimizer& run) { return run.iterations(); }))
        .def_property_readonly(
            "n_eval", of_run([](const Minimizer& run) { return run.evaluations(); }))
        .def_property_readonly("converged", of_run([](const Minimizer& run) {
                                   return optim::has_converged(run.status());
                               }))
        .def_property_readonly("message", of_run([](const Minimizer& run) {
                                   return optim::message_of(run.status());
                               }));
}

}  // namespace

void register_lbfgs(py::module_& m) {
    register_minimizer<float>(m, "MinimizerF32");
    register_minimizer<double>(m, "MinimizerF64");
}

}  // namespace fastnn::bindings
