// Kernels on plain NumPy arrays: activations, dense layers, dropout. The rest of the
// family is in bind_kernels_normalize.cpp and bind_kernels_loss.cpp.
#include <array>
#include <cmath>
#include <cstdint>

#include "bindings/nn_from_dict.hpp"
#include "bindings/numpy_views.hpp"
#include "fastnn/core/error.hpp"
#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/parallel.hpp"

namespace fastnn::bindings {
namespace {

// An activation function as Python holds it (std::variant itself has a caster).
struct ActivationFunction {
    Activation f;
};

constexpr double kElementCost = 1;     // nanoseconds for an element with an exponential
constexpr double kDropoutCost = 1.5;   // for one with a random number
constexpr double kProductCost = 0.02;  // for a multiply-add of a product

double product_cost(Index rows, Index in, Index out) {
    return kProductCost * static_cast<double>(rows) * static_cast<double>(in) *
           static_cast<double>(out);
}

py::array activation_forward(py::handle z,
                             const ActivationFunction& activation,
                             py::handle out,
                             py::handle n_threads) {
    return with_dtype(z, "z", [&]<class T>(T) {
        const Input<T> input(z, "z");
        const Output<T> y(out, "out", input.array().shape(), input.ndim());
        y.check_apart(input, true);
        run_kernel(n_threads, kElementCost * static_cast<double>(input.size()),
                   [&](int n) {
                       parallel::activation_forward<T>(n, activation.f, input.vector(),
                                                       y.vector());
                   });
        return y.array();
    });
}

py::array activation_backward(py::handle dy,
                              py::handle z,
                              const ActivationFunction& activation,
                              py::handle out,
                              py::handle n_threads) {
    return with_dtype(dy, "dy", [&]<class T>(T) {
        const Input<T> gradient(dy, "dy"), input(z, "z");
        if (!std::equal(input.array().shape(), input.array().shape() + input.ndim(),
                        gradient.array().shape(),
                        gradient.array().shape() + gradient.ndim())) {
            throw std::invalid_argument(
                "dy has shape " +
                shape_text(gradient.array().shape(), gradient.ndim()) + ", expected " +
                shape_text(input.array().shape(), input.ndim()) + ": the shape of z");
        }
        const Output<T> dz(out, "out", input.array().shape(), input.ndim());
        dz.check_apart(gradient, true);
        dz.check_apart(input, true);
        run_kernel(
            n_threads, kElementCost * static_cast<double>(input.size()), [&](int n) {
                parallel::activation_backward<T>(n, activation.f, gradient.vector(),
                                                 input.vector(), dz.vector());
            });
        return dz.array();
    });
}

template <class T>
void check_fits(const Input<T>& x, const Input<T>& w) {
    if (x.extent(1) == w.extent(1)) return;
    throw std::invalid_argument("x has " + std::to_string(x.extent(1)) +
                                " columns, w has " + std::to_string(w.extent(1)) +
                                ": w must be (out, in)");
}

py::array dense_forward(py::handle x,
                        py::handle w,
                        py::handle b,
                        const ActivationFunction& activation,
                        py::handle out,
                        py::handle n_threads) {
    return with_dtype(x, "x", [&]<class T>(T) {
        const auto x_in = input_matrix<T>(x, "x"), w_in = input_matrix<T>(w, "w");
        check_fits(x_in, w_in);
        const Index rows = x_in.extent(0), units = w_in.extent(0);
        std::optional<Input<T>> bias;
        if (!b.is_none()) {
            bias = input_vector<T>(b, "b", units, "one number a row of w");
        }
        const Output<T> y(out, "out", {rows, units});
        y.check_apart(x_in);
        y.check_apart(w_in);
        if (bias) y.check_apart(*bias);
        run_kernel(n_threads, product_cost(rows, x_in.extent(1), units), [&](int n) {
            parallel::dense_forward<T>(n, x_in.matrix(), w_in.matrix(),
                                       bias ? bias->vector() : VectorView<const T>{},
                                       activation.f, y.matrix());
        });
        return y.array();
    });
}

// `out`, a tuple of n arrays or None, taken apart.
template <std::size_t n>
std::array<py::object, n> outputs_of(py::handle out, const char* expected) {
    std::array<py::object, n> parts;
    if (out.is_none()) {
        parts.fill(py::none());
        return parts;
    }
    if (!py::isinstance<py::tuple>(out) || py::len(out) != n) {
        throw py::type_error(std::string("out must be None or the tuple ") + expected +
                             ", got " + kind_text(out));
    }
    for (std::size_t i = 0; i < n; ++i) parts[i] = out[py::int_(i)];
    return parts;
}

py::tuple dense_backward(py::handle dy,
                         py::handle x,
                         py::handle w,
                         py::handle y,
                         const ActivationFunction& activation,
                         py::handle z,
                         py::handle out,
                         py::handle n_threads) {
    return with_dtype(dy, "dy", [&]<class T>(T) {
        const auto x_in = input_matrix<T>(x, "x"), w_in = input_matrix<T>(w, "w");
        check_fits(x_in, w_in);
        const Index rows = x_in.extent(0), in = x_in.extent(1), units = w_in.extent(0);
        const Input<T> dy_in(dy, "dy"), y_in(y, "y");
        dy_in.check_shape({rows, units},
                          "a row for each of x, a column for each row of w");
        y_in.check_shape({rows, units}, "the shape of dy");
        const bool needs_z = slope_needs_input(activation.f);
        std::optional<Input<T>> z_in;
        if (needs_z) {
            z_in.emplace(z, "z");
            z_in->check_shape({rows, units}, "the shape of y");
        }
        const auto [dx_out, dw_out, db_out] = outputs_of<3>(out, "(dx, dw, db)");
        const Output<T> dx(dx_out, "dx", {rows, in}), dw(dw_out, "dw", {units, in}),
            db(db_out, "db", {units});
        for (const Output<T>* o : {&dx, &dw, &db}) {
            for (const Input<T>* i : {&dy_in, &x_in, &w_in, &y_in}) o->check_apart(*i);
            if (z_in) o->check_apart(*z_in);
        }
        dx.check_apart(dw);
        dx.check_apart(db);
        dw.check_apart(db);
        const Input<T>& source = needs_z ? *z_in : y_in;
        run_kernel(n_threads, 2 * product_cost(rows, in, units), [&](int n) {
            parallel::dense_backward<T>(n, dy_in.matrix(), x_in.matrix(), w_in.matrix(),
                                        activation.f, source.matrix(), dx.matrix(),
                                        dw.matrix(), db.vector());
        });
        return py::make_tuple(dx.array(), dw.array(), db.array());
    });
}

void check_probability(double p) { require(p >= 0 && p < 1, "p", p, "in [0, 1)"); }

py::tuple dropout_forward(py::handle x,
                          double p,
                          std::uint64_t seed,
                          std::uint32_t step,
                          Index layer,
                          py::handle out,
                          py::handle n_threads) {
    return with_dtype(x, "x", [&]<class T>(T) {
        const auto input = input_matrix<T>(x, "x");
        check_probability(p);
        const auto [y_out, mask_out] = outputs_of<2>(out, "(y, mask)");
        const Index rows = input.extent(0), cols = input.extent(1);
        const Output<T> y(y_out, "y", {rows, cols});
        const Output<bool> mask(mask_out, "mask", {rows, cols});
        y.check_apart(input, true);
        mask.check_apart(input);
        mask.check_apart(y);
        const RandomKey key{seed, stream_of(Purpose::kDropout, layer), step};
        run_kernel(n_threads, kDropoutCost * static_cast<double>(input.size()),
                   [&](int n) {
                       parallel::dropout_forward<T>(n, input.matrix(), p, key,
                                                    y.matrix(), mask.matrix());
                   });
        return py::make_tuple(y.array(), mask.array());
    });
}

// The mask as contiguous bytes that are 0 or 1.
py::array bool_array(py::handle value, const char* name) {
    const py::array a = plain_array(value, name);
    if (a.dtype().kind() != 'b') {
        throw py::type_error(std::string(name) + " must be bool, got " +
                             text(a.dtype()) + ": give what dropout_forward returned");
    }
    return to_dense<bool>(a);
}

py::array dropout_backward(py::handle dy,
                           py::handle mask,
                           double p,
                           py::handle out,
                           py::handle n_threads) {
    return with_dtype(dy, "dy", [&]<class T>(T) {
        const auto gradient = input_matrix<T>(dy, "dy");
        const py::array kept = bool_array(mask, "mask");
        check_probability(p);
        if (kept.ndim() != 2)
            throw std::invalid_argument("mask must have 2 dimensions");
        gradient.check_shape({kept.shape(0), kept.shape(1)}, "the shape of mask");
        const Output<T> dx(out, "out", {gradient.extent(0), gradient.extent(1)});
        dx.check_apart(gradient, true);
        const MatrixView<const bool> view(static_cast<const bool*>(kept.data()),
                                          kept.shape(0), kept.shape(1));
        run_kernel(n_threads, 0.2 * static_cast<double>(gradient.size()), [&](int n) {
            parallel::dropout_backward<T>(n, gradient.matrix(), view, p, dx.matrix());
        });
        return dx.array();
    });
}

py::list activation_names() {
    py::list names;
    const auto add = [&]<class... A>(std::variant<A...>*) {
        (names.append(A::kKind), ...);
    };
    add(static_cast<Activation*>(nullptr));
    return names;
}

}  // namespace

void register_normalize_kernels(py::module_& m);
void register_loss_kernels(py::module_& m);

void register_kernels(py::module_& m) {
    using namespace py::literals;
    py::class_<ActivationFunction>(m, "Activation", py::module_local(),
                                   "An activation function with its parameter.")
        .def(py::init([](const py::dict& config) {
                 return ActivationFunction{activation_from_dict(config)};
             }),
             py::arg("config"))
        .def_property_readonly("slope_needs_input", [](const ActivationFunction& a) {
            return slope_needs_input(a.f);
        });
    m.def("activation_names", &activation_names);
    m.def("activation_forward", &activation_forward, "z"_a, "activation"_a, "out"_a,
          "n_threads"_a);
    m.def("activation_backward", &activation_backward, "dy"_a, "z"_a, "activation"_a,
          "out"_a, "n_threads"_a);
    m.def("dense_forward", &dense_forward, "x"_a, "w"_a, "b"_a, "activation"_a, "out"_a,
          "n_threads"_a);
    m.def("dense_backward", &dense_backward, "dy"_a, "x"_a, "w"_a, "y"_a,
          "activation"_a, "z"_a, "out"_a, "n_threads"_a);
    m.def("dropout_forward", &dropout_forward, "x"_a, "p"_a, "seed"_a, "step"_a,
          "layer"_a, "out"_a, "n_threads"_a);
    m.def("dropout_backward", &dropout_backward, "dy"_a, "mask"_a, "p"_a, "out"_a,
          "n_threads"_a);
    register_normalize_kernels(m);
    register_loss_kernels(m);
}

}  // namespace fastnn::bindings
