// Curvature: products with the Hessian of a network in float64.
#include "bindings/bound_network.hpp"
#include "bindings/nn_from_dict.hpp"
#include "bindings/signal_watch.hpp"
#include "fastnn/core/threads.hpp"
#include "fastnn/diagnose/curvature_product.hpp"

namespace fastnn::bindings {
namespace {

Curvature curvature_named(const std::string& name) {
    if (name == "hessian") return Curvature::kHessian;
    require(name == "gauss_newton", "curvature", "'" + name + "'",
            "'hessian' or 'gauss_newton'");
    return Curvature::kGaussNewton;
}

py::array curvature_times(BoundNetwork<double>& self,
                          const py::object& x,
                          const py::object& y,
                          const py::object& w,
                          const py::dict& loss_dict,
                          const DenseArray<double>& v,
                          const std::string& curvature,
                          double l1,
                          double l2,
                          int n_threads) {
    const Loss loss = loss_from_dict(loss_dict);
    const BoundSamples<double> data = bind_samples(self.network, x, y, w, loss_dict);
    const Index n = self.network.parameters().size();
    require(v.ndim() == 1 && v.size() == n, "the number of elements of v", v.size(),
            std::to_string(n) + ", the network's n_parameters");
    require_not_negative("l1", l1);
    require_not_negative("l2", l2);
    const CurvatureTask task{
        self.network, loss, data.samples, curvature_named(curvature), {l1, l2}};
    const int threads = resolve_threads(n_threads);
    py::array_t<double> out(n);
    const VectorView<double> to{out.mutable_data(), n};
    const Usage::Reading reading(self.usage);
    SignalWatch watch;
    without_gil([&] {
        return curvature_product(task, {v.data(), n}, to, threads,
                                 [&] { return watch.raised(); });
    });
    return out;
}

}  // namespace

void register_diagnose(py::module_& m) {
    m.def("curvature_product", &curvature_times, py::arg("network"), py::arg("X"),
          py::arg("targets"), py::arg("weights"), py::arg("loss"), py::arg("v"),
          py::arg("curvature"), py::arg("l1"), py::arg("l2"), py::arg("n_threads") = 0,
          "The Hessian of the mean loss, or its Gauss-Newton part, times v.");
}

}  // namespace fastnn::bindings
