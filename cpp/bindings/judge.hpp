// Losses written in Python, as the core asks for them.
#pragma once

#include "bindings/bound_network.hpp"
#include "bindings/numpy_views.hpp"

namespace fastnn::bindings {

// The judge of a data set with these targets. `judge(outputs, y)` is Python's: it gives
// a float64 array of losses and one of gradients in the dtype of the outputs, and has
// seen to their shapes. What it is given is its own to keep or change.
template <class T>
Judge<T> judge_of(const py::object& judge, const py::object& y) {
    return [judge, y](MatrixView<const T> z, const Index* rows,
                      VectorView<double> losses, MatrixView<T> dz) {
        const py::gil_scoped_acquire acquire;
        py::array_t<T> outputs({z.rows, z.cols});
        for (Index i = 0; i < z.rows; ++i) {
            std::copy_n(z.row(i), z.cols, outputs.mutable_data(i, 0));
        }
        const py::object own =
            rows ? y[py::array_t<Index>(z.rows, rows)] : y.attr("copy")();
        const auto answer = py::cast<py::tuple>(judge(outputs, own));
        const auto l = py::cast<DenseArray<double>>(answer[0]);
        std::copy_n(l.data(), losses.size, losses.data);
        if (!dz.data) return;
        const auto gradient = py::cast<DenseArray<T>>(answer[1]);
        for (Index i = 0; i < z.rows; ++i) {
            std::copy_n(gradient.data(i, 0), z.cols, dz.row(i));
        }
    };
}

}  // namespace fastnn::bindings
