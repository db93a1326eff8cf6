// Index, views and small numeric helpers: the words every other header uses.
#pragma once

#include <cstddef>
#include <type_traits>

namespace fastnn {

using Index = std::ptrdiff_t;

// Elements i with begin <= i < end.
struct Range {
    Index begin = 0;
    Index end = 0;

    constexpr Index size() const noexcept { return end - begin; }
};

// A borrowed run of `size` contiguous elements. `T` may be const.
template <class T>
struct VectorView {
    T* data = nullptr;
    Index size = 0;

    T& operator[](Index i) const noexcept { return data[i]; }
    bool empty() const noexcept { return size == 0; }
    VectorView slice(Range r) const noexcept { return {data + r.begin, r.size()}; }

    operator VectorView<const T>() const noexcept
        requires(!std::is_const_v<T>)
    {
        return {data, size};
    }
};

// A borrowed row-major matrix; consecutive rows lie `stride` elements apart.
template <class T>
struct MatrixView {
    T* data = nullptr;
    Index rows = 0;
    Index cols = 0;
    Index stride = 0;

    MatrixView() = default;
    MatrixView(T* d, Index r, Index c) noexcept : MatrixView(d, r, c, c) {}
    MatrixView(T* d, Index r, Index c, Index s) noexcept
        : data(d), rows(r), cols(c), stride(s) {}

    T* row(Index i) const noexcept { return data + i * stride; }
    T& operator()(Index i, Index j) const noexcept { return data[i * stride + j]; }
    bool is_contiguous() const noexcept { return stride == cols; }
    MatrixView row_slice(Range r) const noexcept {
        return {data + r.begin * stride, r.size(), cols, stride};
    }
    MatrixView col_slice(Range c) const noexcept {
        return {data + c.begin, rows, c.size(), stride};
    }

    operator MatrixView<const T>() const noexcept
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols, stride};
    }
};

constexpr Index ceil_div(Index a, Index b) noexcept { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index multiple) noexcept {
    return ceil_div(a, multiple) * multiple;
}

// The i-th of the tiles of `height` that cover 0 .. total.
constexpr Range tile_range(Index i, Index height, Index total) noexcept {
    const Index begin = i * height;
    const Index end = begin + height;
    return {begin, end < total ? end : total};
}

}  // namespace fastnn
