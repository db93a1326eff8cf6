// Owned row-major matrix whose rows start on cache lines.
#pragma once

#include "fastnn/core/buffer.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

// The padding of each row holds arbitrary finite or stale values that nothing reads
// back.
template <class T>
class Matrix {
public:
    Matrix() = default;
    Matrix(Index rows, Index cols)
        : rows_(rows),
          cols_(cols),
          stride_(padded_stride<T>(cols)),
          buffer_(rows * padded_stride<T>(cols)) {}

    Index rows() const noexcept { return rows_; }
    Index cols() const noexcept { return cols_; }
    bool empty() const noexcept { return buffer_.size() == 0; }
    T* row(Index i) noexcept { return buffer_.data() + i * stride_; }
    const T* row(Index i) const noexcept { return buffer_.data() + i * stride_; }

    MatrixView<T> view(Range r) noexcept {
        return {row(r.begin), r.size(), cols_, stride_};
    }
    MatrixView<const T> view(Range r) const noexcept {
        return {row(r.begin), r.size(), cols_, stride_};
    }

private:
    Index rows_ = 0;
    Index cols_ = 0;
    Index stride_ = 0;
    Buffer<T> buffer_;
};

// All elements of a view's rows, padding included: one run for element-wise loops.
template <class T>
VectorView<T> flat(MatrixView<T> x) noexcept {
    return {x.data, x.rows * x.stride};
}

}  // namespace fastnn
