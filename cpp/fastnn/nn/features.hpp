// The features of some samples: dense or sparse rows.
#pragma once

#include <algorithm>

#include "fastnn/core/csr.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

template <class T>
struct Features {
    MatrixView<const T> dense;
    CsrView<T> sparse;  // unless its starts are null
    Index rows = 0;
    Index cols = 0;

    Features() = default;
    Features(MatrixView<const T> x) noexcept : dense(x), rows(x.rows), cols(x.cols) {}
    Features(const CsrView<T>& x) noexcept : sparse(x), rows(x.rows), cols(x.cols) {}

    bool is_sparse() const noexcept { return sparse.starts != nullptr; }
    Features row_slice(Range r) const noexcept {
        if (is_sparse()) return sparse.row_slice(r);
        return dense.row_slice(r);
    }
};

// Sparse rows written out: zeros where nothing is said.
template <class T>
void write_out(const CsrView<T>& x, MatrixView<T> to) noexcept {
    for (Index i = 0; i < x.rows; ++i) {
        T* row = to.row(i);
        std::fill_n(row, x.cols, T(0));
        const SparseRow<T> nonzeros = x.row(i);
        for (Index k = 0; k < nonzeros.size; ++k) {
            row[nonzeros.columns[k]] = nonzeros.values[k];
        }
    }
}

}  // namespace fastnn
