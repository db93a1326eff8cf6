// Sparse rows: the nonzeros of a matrix, row after row (CSR).
#pragma once

#include <cstdint>

#include "fastnn/core/types.hpp"

namespace fastnn {

// The nonzeros of one row: values[k] stands in column columns[k]; columns ascend.
template <class T>
struct SparseRow {
    const std::int32_t* columns;
    const T* values;
    Index size;
};

// A borrowed sparse matrix, or some of its rows. The nonzeros of row i are those from
// starts[i] to starts[i + 1].
template <class T>
struct CsrView {
    const Index* starts = nullptr;  // (rows of the matrix + 1)
    const std::int32_t* columns = nullptr;
    const T* values = nullptr;
    Index rows = 0;
    Index cols = 0;
    const Index* chosen = nullptr;  // (rows) which of the matrix; null: the first ones

    SparseRow<T> row(Index i) const noexcept {
        const Index* at = starts + (chosen ? chosen[i] : i);
        return {columns + at[0], values + at[0], at[1] - at[0]};
    }
    CsrView row_slice(Range r) const noexcept {
        if (chosen) return {starts, columns, values, r.size(), cols, chosen + r.begin};
        return {starts + r.begin, columns, values, r.size(), cols, nullptr};
    }
    // The rows order[0 .. n), or the first n when order is null.
    CsrView choose(const Index* order, Index n) const noexcept {
        return {starts, columns, values, n, cols, order};
    }
    // The nonzeros of all rows, none of them chosen.
    VectorView<const T> nonzeros() const noexcept {
        return {values + starts[0], starts[rows] - starts[0]};
    }
};

}  // namespace fastnn
