// Batch and layer normalisation on plain NumPy arrays.
#include "bindings/numpy_views.hpp"
#include "fastnn/core/error.hpp"
#include "fastnn/kernels/parallel.hpp"

namespace fastnn::bindings {
namespace {

constexpr const char* kPerColumn = "one number a column of x";
constexpr const char* kPerRow = "one number a row of x";

template <class T>
double cost(const Input<T>& x) {
    return 0.4 * static_cast<double>(x.size());
}

// Batch normalisation takes its statistics of columns, layer normalisation of rows.
enum class Norm { kBatch, kLayer };

// How many statistics x has, after a look at how many numbers each is made of.
template <Norm norm>
Index count_statistics(Index rows, Index cols) {
    if constexpr (norm == Norm::kBatch) {
        require(rows > 0, "the number of rows of x", rows, "at least 1");
        return cols;
    } else {
        require(cols > 0, "the number of columns of x", cols, "at least 1");
        return rows;
    }
}

template <Norm norm>
py::tuple forward(py::handle x,
                  py::handle gamma,
                  py::handle beta,
                  double eps,
                  py::handle out,
                  py::handle n_threads) {
    return with_dtype(x, "x", [&]<class T>(T) {
        const auto input = input_matrix<T>(x, "x");
        const Index rows = input.extent(0), cols = input.extent(1);
        const auto g = input_vector<T>(gamma, "gamma", cols, kPerColumn),
                   b = input_vector<T>(beta, "beta", cols, kPerColumn);
        require_positive("eps", eps);
        const Index statistics = count_statistics<norm>(rows, cols);
        const Output<T> y(out, "out", {rows, cols});
        y.check_apart(input, true);
        y.check_apart(g);
        y.check_apart(b);
        const Output<T> mean(py::none(), "mean", {statistics}),
            inv(py::none(), "inv_std", {statistics});
        run_kernel(n_threads, cost(input), [&](int n) {
            if constexpr (norm == Norm::kBatch) {
                parallel::batchnorm_forward<T>(n, input.matrix(), g.data(), b.data(),
                                               eps, y.matrix(), mean.vector(),
                                               inv.data());
            } else {
                parallel::layernorm_forward<T>(n, input.matrix(), g.data(), b.data(),
                                               eps, y.matrix(), mean.data(),
                                               inv.data());
            }
        });
        return py::make_tuple(y.array(), mean.array(), inv.array());
    });
}

template <Norm norm>
py::tuple backward(py::handle dy,
                   py::handle x,
                   py::handle gamma,
                   py::handle mean,
                   py::handle inv_std,
                   py::handle out,
                   py::handle n_threads) {
    return with_dtype(dy, "dy", [&]<class T>(T) {
        const auto input = input_matrix<T>(x, "x");
        const Index rows = input.extent(0), cols = input.extent(1);
        const Input<T> gradient(dy, "dy");
        gradient.check_shape({rows, cols}, "the shape of x");
        const Index statistics = count_statistics<norm>(rows, cols);
        constexpr const char* kPer = norm == Norm::kBatch ? kPerColumn : kPerRow;
        const auto g = input_vector<T>(gamma, "gamma", cols, kPerColumn),
                   m = input_vector<T>(mean, "mean", statistics, kPer),
                   inv = input_vector<T>(inv_std, "inv_std", statistics, kPer);
        const Output<T> dx(out, "out", {rows, cols});
        dx.check_apart(gradient, true);
        for (const Input<T>* i : {&input, &g, &m, &inv}) dx.check_apart(*i);
        const Output<T> dgamma(py::none(), "dgamma", {cols}),
            dbeta(py::none(), "dbeta", {cols});
        constexpr auto kKernel = norm == Norm::kBatch
                                     ? &parallel::batchnorm_backward<T>
                                     : &parallel::layernorm_backward<T>;
        run_kernel(n_threads, cost(input), [&](int n) {
            kKernel(n, gradient.matrix(), input.matrix(), g.data(), m.data(),
                    inv.data(), dx.matrix(), dgamma.vector(), dbeta.vector());
        });
        return py::make_tuple(dx.array(), dgamma.array(), dbeta.array());
    });
}

py::array batchnorm_inference(py::handle x,
                              py::handle gamma,
                              py::handle beta,
                              py::handle running_mean,
                              py::handle running_var,
                              double eps,
                              py::handle out,
                              py::handle n_threads) {
    return with_dtype(x, "x", [&]<class T>(T) {
        const auto input = input_matrix<T>(x, "x");
        const Index cols = input.extent(1);
        const auto g = input_vector<T>(gamma, "gamma", cols, kPerColumn),
                   b = input_vector<T>(beta, "beta", cols, kPerColumn),
                   m = input_vector<T>(running_mean, "running_mean", cols, kPerColumn),
                   v = input_vector<T>(running_var, "running_var", cols, kPerColumn);
        require_positive("eps", eps);
        const Output<T> y(out, "out", {input.extent(0), cols});
        y.check_apart(input, true);
        for (const Input<T>* i : {&g, &b, &m, &v}) y.check_apart(*i);
        run_kernel(n_threads, 0.5 * cost(input), [&](int n) {
            parallel::batchnorm_inference<T>(n, input.matrix(), g.data(), b.data(),
                                             m.data(), v.vector(), eps, y.matrix());
        });
        return y.array();
    });
}

}  // namespace

void register_normalize_kernels(py::module_& m) {
    using namespace py::literals;
    m.def("batchnorm_forward", &forward<Norm::kBatch>, "x"_a, "gamma"_a, "beta"_a,
          "eps"_a, "out"_a, "n_threads"_a);
    m.def("batchnorm_backward", &backward<Norm::kBatch>, "dy"_a, "x"_a, "gamma"_a,
          "mean"_a, "inv_std"_a, "out"_a, "n_threads"_a);
    m.def("batchnorm_inference", &batchnorm_inference, "x"_a, "gamma"_a, "beta"_a,
          "running_mean"_a, "running_var"_a, "eps"_a, "out"_a, "n_threads"_a);
    m.def("layernorm_forward", &forward<Norm::kLayer>, "x"_a, "gamma"_a, "beta"_a,
          "eps"_a, "out"_a, "n_threads"_a);
    m.def("layernorm_backward", &backward<Norm::kLayer>, "dy"_a, "x"_a, "gamma"_a,
          "mean"_a, "inv_std"_a, "out"_a, "n_threads"_a);
}

}  // namespace fastnn::bindings
