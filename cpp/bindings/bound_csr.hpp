// Sparse rows as Python holds them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "fastnn/core/buffer.hpp"
#include "fastnn/core/csr.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

// A sparse matrix whose structure was checked as it was copied, and which nobody else
// can write to: another thread may overwrite the arrays it came from, and a column
// beyond the last would be read from memory that is not ours. The values are used where
// they lie.
template <class T>
struct BoundCsr {
    Buffer<Index> starts;          // (rows + 1)
    Buffer<std::int32_t> columns;  // (nonzeros), ascending in each row
    py::array_t<T, py::array::c_style> values;
    Index cols = 0;

    Index rows() const noexcept { return starts.size() - 1; }
    CsrView<T> view() const noexcept {
        return {starts.data(), columns.data(), values.data(), rows(), cols, nullptr};
    }
};

}  // namespace fastnn::bindings
