// Sparse matrices: SciPy's arrays -> checked rows that kernels may trust.
#include <limits>

#include "bindings/bound_csr.hpp"
#include "bindings/new_object.hpp"
#include "bindings/numpy_views.hpp"
#include "fastnn/core/error.hpp"

namespace fastnn::bindings {
namespace {

[[noreturn]] void broken(const std::string& name, const std::string& what) {
    throw std::invalid_argument(name + " is a broken sparse matrix: " + what +
                                "; make it anew from your data, or see " + name +
                                ".check_format()");
}

std::string element(const char* array, Index i, std::int64_t value) {
    return std::string(array) + "[" + std::to_string(i) + "] is " +
           std::to_string(value);
}

// Calls read(pointer) for an array of int32 or int64.
template <class Read>
auto with_integers(const std::string& name,
                   const char* array,
                   const py::object& value,
                   Read&& read) {
    using Narrow = py::array_t<std::int32_t, py::array::c_style>;
    using Wide = py::array_t<std::int64_t, py::array::c_style>;
    if (py::isinstance<Narrow>(value)) {
        return read(py::reinterpret_borrow<Narrow>(value));
    }
    if (py::isinstance<Wide>(value)) return read(py::reinterpret_borrow<Wide>(value));
    broken(name, std::string(array) + " is no contiguous array of int32 or int64");
}

// The starts of the rows; they ascend from 0 to at most `nonzeros`.
template <class Array>
Buffer<Index> checked_starts(const std::string& name,
                             const Array& indptr,
                             Index rows,
                             Index nonzeros) {
    if (indptr.ndim() != 1 || indptr.size() != rows + 1) {
        broken(name, "indptr has shape " + shape_text(indptr.shape(), indptr.ndim()) +
                         ", expected one element for each of " + std::to_string(rows) +
                         " rows and one more");
    }
    Buffer<Index> starts(indptr.size());
    Index last = 0;
    for (Index i = 0; i < starts.size(); ++i) {
        const auto start = static_cast<Index>(indptr.data()[i]);
        if (i == 0 && start != 0) {
            broken(name, element("indptr", 0, start) + ", expected 0");
        }
        if (start < last || start > nonzeros) {
            broken(name, element("indptr", i, start) + ", expected a number from " +
                             std::to_string(last) + ", the one before, to " +
                             std::to_string(nonzeros) + ", the number of values");
        }
        starts[i] = last = start;
    }
    return starts;
}

// The columns of all nonzeros, or nothing if in some row they do not ascend.
template <class Array>
bool copy_columns(const std::string& name,
                  const Array& indices,
                  const Buffer<Index>& starts,
                  Index cols,
                  Buffer<std::int32_t>& columns) {
    const Index n = starts[starts.size() - 1];
    if (indices.ndim() != 1 || indices.size() < n) {
        broken(name, "indices has " + std::to_string(indices.size()) +
                         " elements, fewer than the " + std::to_string(n) +
                         " that indptr tells of");
    }
    columns.resize(n);
    bool ascend = true;
    for (Index i = 0; i + 1 < starts.size(); ++i) {
        std::int64_t last = -1;
        for (Index k = starts[i]; k < starts[i + 1]; ++k) {
            const std::int64_t column = indices.data()[k];
            if (column < 0 || column >= cols) {
                broken(name, element("indices", k, column) + " in row " +
                                 std::to_string(i) + ", but the matrix has " +
                                 std::to_string(cols) + " columns");
            }
            ascend = ascend && column > last;
            last = column;
            columns[k] = static_cast<std::int32_t>(column);
        }
    }
    return ascend;
}

template <class T>
py::object make_csr(const std::string& name,
                    const py::object& indptr,
                    const py::object& indices,
                    const py::array_t<T, py::array::c_style>& values,
                    Index rows,
                    Index cols) {
    py::object object = new_object<BoundCsr<T>>();
    auto& csr = py::cast<BoundCsr<T>&>(object);
    csr.values = values;
    csr.cols = cols;
    csr.starts = with_integers(name, "indptr", indptr, [&](const auto& array) {
        return checked_starts(name, array, rows, values.size());
    });
    const bool ascend = with_integers(name, "indices", indices, [&](const auto& array) {
        return copy_columns(name, array, csr.starts, cols, csr.columns);
    });
    if (!ascend) return py::none();
    return object;
}

py::object csr_from_arrays(const std::string& name,
                           const py::object& indptr,
                           const py::object& indices,
                           const py::object& values,
                           Index rows,
                           Index cols) {
    using Float = py::array_t<float, py::array::c_style>;
    using Double = py::array_t<double, py::array::c_style>;
    constexpr Index kMost = std::numeric_limits<std::int32_t>::max();
    if (cols < 1 || cols > kMost) {
        require(false, "the number of columns of " + name, cols,
                "from 1 to " + std::to_string(kMost));
    }
    if (py::isinstance<Double>(values)) {
        return make_csr<double>(name, indptr, indices, values.cast<Double>(), rows,
                                cols);
    }
    if (!py::isinstance<Float>(values)) {
        throw py::type_error("the values of " + name +
                             " must be a contiguous array of float32 or float64, got " +
                             kind_text(values));
    }
    return make_csr<float>(name, indptr, indices, values.cast<Float>(), rows, cols);
}

// Copies of some rows, by number.
template <class T>
py::object chosen_rows(const BoundCsr<T>& self,
                       const py::array_t<Index, py::array::c_style>& index) {
    const Index n = index.size();
    py::object object = new_object<BoundCsr<T>>();
    auto& part = py::cast<BoundCsr<T>&>(object);
    part.cols = self.cols;
    part.starts.resize(n + 1);
    for (Index i = 0; i < n; ++i) {
        const Index row = index.data()[i];
        require(row >= 0 && row < self.rows(), "a row number", row,
                "from 0 to " + std::to_string(self.rows() - 1));
        part.starts[i + 1] = part.starts[i] + self.view().row(row).size;
    }
    const Index nonzeros = part.starts[n];
    part.columns.resize(nonzeros);
    part.values = py::array_t<T, py::array::c_style>(nonzeros);
    T* values = part.values.mutable_data();
    for (Index i = 0; i < n; ++i) {
        const SparseRow<T> row = self.view().row(index.data()[i]);
        const Index at = part.starts[i];
        std::copy_n(row.columns, row.size, part.columns.data() + at);
        std::copy_n(row.values, row.size, values + at);
    }
    return object;
}

// A read-only view of an array of the matrix, which it keeps alive.
template <class U>
py::array view_of(const Buffer<U>& buffer, const py::object& owner) {
    py::array_t<U> view(buffer.size(), buffer.data(), owner);
    view.attr("setflags")(py::arg("write") = false);
    return view;
}

template <class T>
void register_class(py::module_& m, const char* name) {
    using Bound = BoundCsr<T>;
    py::class_<Bound>(m, name, py::module_local())
        .def(py::init<>())
        .def("__len__", &Bound::rows)
        .def_property_readonly(
            "shape", [](const Bound& b) { return py::make_tuple(b.rows(), b.cols); })
        .def_property_readonly("starts",
                               [](const py::object& self) {
                                   return view_of(py::cast<Bound&>(self).starts, self);
                               })
        .def_property_readonly("columns",
                               [](const py::object& self) {
                                   return view_of(py::cast<Bound&>(self).columns, self);
                               })
        .def_property_readonly("values", [](const Bound& b) { return b.values; })
        .def("rows", &chosen_rows<T>, py::arg("index"), "Copies of some rows.");
}

}  // namespace

void register_csr(py::module_& m) {
    register_class<float>(m, "CsrF32");
    register_class<double>(m, "CsrF64");
    m.def("csr", &csr_from_arrays, py::arg("name"), py::arg("indptr"),
          py::arg("indices"), py::arg("values"), py::arg("n_rows"),
          py::arg("n_columns"),
          "The rows of a sparse matrix, or None if the columns of some row do not "
          "ascend. Errors speak of `name`.");
}

}  // namespace fastnn::bindings
