// Losses written in Python, as the core asks for them.
#pragma once

#include "bindings/bound_network.hpp"
#include "bindings/numpy_views.hpp"

namespace fastnn::bindings {

template <class T>
py::array_t<T> copy_of(MatrixView<const T> x) {
    py::array_t<T> copy({x.rows, x.cols});
    T* to = copy.mutable_data();
    for (Index i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, to + i * x.cols);
    return copy;
}

// A copy of some rows of y, as a judge is asked for them.
inline py::object rows_of(const py::object& y,
                          Index n,
                          Index first,
                          const Index* rows) {
    if (!rows) return y[py::slice(first, first + n, 1)].attr("copy")();
    py::array_t<Index> index(n);
    std::transform(rows, rows + n, index.mutable_data(),
                   [&](Index row) { return first + row; });
    return y[index];
}

// The judge of a data set with these targets. `judge(outputs, y)` is Python's: it gives
// a float64 array of losses and one of gradients in the dtype of the outputs. What it
// is given is its own to keep or change.
template <class T>
Judge<T> judge_of(const py::object& judge, const py::object& y) {
    return [judge, y](MatrixView<const T> z, Index first, const Index* rows,
                      VectorView<double> losses, MatrixView<T> dz) {
        const py::gil_scoped_acquire acquire;
        const auto answer =
            py::cast<py::tuple>(judge(copy_of(z), rows_of(y, z.rows, first, rows)));
        const auto l = py::cast<DenseArray<double>>(answer[0]);
        const auto gradient = py::cast<DenseArray<T>>(answer[1]);
        require(l.size() == z.rows, "the number of losses", l.size(),
                std::to_string(z.rows));
        require(gradient.size() == z.rows * z.cols, "the size of the gradient",
                gradient.size(), std::to_string(z.rows * z.cols));
        std::copy_n(l.data(), losses.size, losses.data);
        for (Index i = 0; i < dz.rows; ++i) {
            std::copy_n(gradient.data() + i * z.cols, z.cols, dz.row(i));
        }
    };
}

}  // namespace fastnn::bindings
