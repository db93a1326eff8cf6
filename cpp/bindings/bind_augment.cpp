// Augmentation of plain arrays: what a step would see of them.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "bindings/nn_from_dict.hpp"
#include "bindings/running.hpp"
#include "fastnn/nn/augmentation.hpp"

namespace fastnn::bindings {
namespace {

template <class T>
using Rows = py::array_t<T, py::array::c_style>;
using Labels = py::array_t<std::int32_t, py::array::c_style>;

// Targets as the samples of a fit hold them; y is None where there are none.
template <class T>
Targets<T> targets_of(const py::object& y, Index rows, Index width) {
    Targets<T> targets;
    if (py::isinstance<Labels>(y)) {
        const auto labels = py::cast<Labels>(y);
        require(labels.ndim() == 1 && labels.shape(0) == rows, "the number of labels",
                labels.size(), std::to_string(rows) + ", one for each row");
        targets.labels = {labels.data(), rows};
    } else {
        const auto values = py::cast<Rows<T>>(y);
        require(
            values.ndim() == 2 && values.shape(0) == rows && values.shape(1) == width,
            "the number of targets", values.size(),
            std::to_string(rows) + " rows of " + std::to_string(width));
        targets.values = {values.data(), rows, width};
    }
    return targets;
}

template <class T>
py::tuple augmented_rows(const Rows<T>& x,
                         const py::object& y,
                         Index width,
                         const std::vector<Augment>& augment,
                         std::uint64_t seed,
                         std::uint32_t step) {
    require(x.ndim() == 2 && x.shape(0) >= 1 && x.shape(1) >= 1,
            "the number of elements of X", x.size(), "at least 1, in two dimensions");
    const Index n = x.shape(0), features = x.shape(1);
    Samples<T> samples;
    samples.x = MatrixView<const T>(x.data(), n, features);
    samples.targets = targets_of<T>(y, n, width);
    Rows<T> out({n, features});
    const MatrixView<T> rows(out.mutable_data(), n, features);
    Augmentation<T> augmentation(augment, n, 1, features, width);
    {
        const ReleasedGil released;
        std::copy_n(x.data(), x.size(), rows.data);
        augmentation.begin(samples, nullptr, n, seed, step);
        augmentation.run({0, {0, n}}, rows);
    }
    if (!augmentation.mixes()) return py::make_tuple(out, y);
    Rows<T> mixed({n, width});
    const MatrixView<const T> mixtures = augmentation.targets({0, n}).values;
    for (Index i = 0; i < n; ++i) {
        std::copy_n(mixtures.row(i), width, mixed.mutable_data(i, 0));
    }
    return py::make_tuple(out, mixed);
}

}  // namespace

void register_augment(py::module_& m) {
    m.def(
        "check_augment", [](const py::dict& d) { augment_from_dict(d); },
        py::arg("augment"));
    m.def(
        "augmented_rows",
        [](const py::array& x, const py::object& y, Index width,
           const std::vector<Augment>& augment, std::uint64_t seed,
           std::uint32_t step) -> py::tuple {
            if (py::isinstance<Rows<double>>(x)) {
                return augmented_rows<double>(py::reinterpret_borrow<Rows<double>>(x),
                                              y, width, augment, seed, step);
            }
            return augmented_rows<float>(py::cast<Rows<float>>(x), y, width, augment,
                                         seed, step);
        },
        py::arg("X"), py::arg("targets"), py::arg("width"), py::arg("augment"),
        py::arg("seed"), py::arg("step"),
        "(X, targets) as a step of this seed and number would see them as one batch; "
        "targets of mixtures are `width` wide.");
}

}  // namespace fastnn::bindings
