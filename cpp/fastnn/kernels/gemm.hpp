// C = A B: the one loop behind every matrix product.
//
// A block of C stays in registers while the sum runs: each step loads one row of B's
// columns and multiplies it by an element of A for each row of the block. A is read by
// rows or by columns; B from panels packed before, or from a row-major matrix. Operands
// are read where they lie, or copied together first where that is paid back.
//
// An element of C is summed over parts of the depth of at most kDepth, in each part one
// term after another, and the parts are added in their order. So its bits depend on the
// depth alone: not on where it stands in C, how C is cut, or the machine's caches.
// Nothing is allocated.
#pragma once

#include <algorithm>
#include <type_traits>

#include "fastnn/kernels/simd.hpp"

namespace fastnn::gemm {

using simd::Vec;

// The block of C held in registers: rows times registers of columns. It leaves room for
// a row of B and an element of A among 32 registers (AVX-512, NEON) or 16.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kBlockRows = 8, kBlockRegisters = 3;
#elif defined(__AVX2__)
inline constexpr int kBlockRows = 4, kBlockRegisters = 3;
#else
inline constexpr int kBlockRows = 4, kBlockRegisters = 2;
#endif

// Terms of a sum before it is added to C: so many rows of a block's columns of B
// (24 KiB with AVX-512) stay in L1 beside what is read of A.
template <class T>
inline constexpr Index kDepth = 512 / sizeof(T);

// Rows of C that share one copy of a part of A.
inline constexpr Index kRowsAtOnce = 128;

// Rows of an operand so far apart that most begin a page of memory, and displace each
// other in L1 when read together.
template <class T>
inline constexpr Index kFarApart = 2048 / sizeof(T);

// --- A -------------------------------------------------------------------------------

// A (m, k), row-major.
template <class T>
struct Plain {
    const T* data;
    Index stride;

    const T& operator()(Index i, Index k) const { return data[i * stride + k]; }
    Plain from(Index i) const { return {data + i * stride, stride}; }
    Plain from(Index i, Index k) const { return {&(*this)(i, k), stride}; }
};

// A (m, k) as the transpose of a row-major matrix (k, m).
template <class T>
struct Transposed {
    const T* data;
    Index stride;

    const T& operator()(Index i, Index k) const { return data[k * stride + i]; }
    Transposed from(Index i) const { return {data + i, stride}; }
    Transposed from(Index i, Index k) const { return {&(*this)(i, k), stride}; }
};

// Such a transpose copied together: kBlockRows of A at a time, without gaps.
template <class T>
struct Grouped {
    const T* data;
    Index depth;

    const T& operator()(Index i, Index k) const { return data[k * kBlockRows + i]; }
    Grouped from(Index i) const {
        return {data + i / kBlockRows * kBlockRows * depth + i % kBlockRows, depth};
    }
};

template <class T>
Grouped<T> grouped(Transposed<T> a, Index rows, Index depth, T* copy) {
    for (Index k = 0; k < depth; ++k) {
        const T* from = &a(0, k);
        T* to = copy + k * kBlockRows;
        Index i = 0;
        for (; i + kBlockRows <= rows; i += kBlockRows) {
            std::copy_n(from + i, kBlockRows, to + i * depth);
        }
        std::copy_n(from + i, rows - i, to + i * depth);
    }
    return {copy, depth};
}

// --- B -------------------------------------------------------------------------------

// A part of B as the loop reads it: some rows, and columns in registers.
template <class T>
struct Strip {
    const T* data;
    Index row_step;
    Index register_step;
};

// Where a part of B begins and how large it is.
struct Part {
    Index k, depth;
    Index column, columns;
    int registers;
};

// B (k, n) packed: panels of `lanes` columns, each (k, lanes) without gaps. Columns
// beyond the last are zero where a register has as many lanes; a single panel may be
// narrower, and be followed by as much memory as a register reads.
template <class T>
struct Panels {
    const T* data;
    Index depth;
    Index lanes;

    Strip<T> strip(const Part& part, Index, T*) const {
        return {data + part.column * depth + part.k * lanes, lanes, depth * lanes};
    }
};

// B (k, n), row-major. Its rows are copied together where they lie far apart, or end
// within a register.
template <class T>
struct RowMajor {
    const T* data;
    Index stride;

    Strip<T> strip(const Part& part, Index uses, T* copy) const {
        constexpr Index kLanes = Vec<T>::kWidth;
        const T* from = data + part.k * stride + part.column;
        const Index width = part.registers * kLanes;
        const bool worth_copying = stride >= kFarApart<T> && uses >= kBlockRows;
        if (part.columns == width && !worth_copying) return {from, stride, kLanes};
        for (Index k = 0; k < part.depth; ++k) {
            simd::for_each<T>(part.columns, [&](auto at) {
                at.load(from + k * stride).store(copy + k * width + at.i);
            });
        }
        return {copy, width, kLanes};
    }
};

// --- C -------------------------------------------------------------------------------

// Where a block of C goes, and what the sums are added to: C itself, a bias in each row
// (step 0), or zeros.
template <class T>
struct Target {
    T* data;
    Index stride;
    Index columns;
    const T* start;
    Index start_stride;

    Target from(Index i) const {
        return {data + i * stride, stride, columns, start + i * start_stride,
                start_stride};
    }
};

// --- loops ---------------------------------------------------------------------------

// One block: Rows x Registers sums. Always inlined: operands passed on the stack would
// be read back before they have left the store buffer, behind the block stored before.
template <int Rows, int Registers, class T, class Left>
[[gnu::always_inline]] inline void block(Left a,
                                         Strip<T> b,
                                         Index depth,
                                         Target<T> c) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    Vec<T> sums[Rows][Registers];
    const T* row_of_b = b.data;
    for (Index k = 0; k < depth; ++k, row_of_b += b.row_step) {
        Vec<T> row[Registers];
#pragma GCC unroll 8
        for (int v = 0; v < Registers; ++v) {
            row[v] = Vec<T>::load(row_of_b + v * b.register_step);
        }
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            const Vec<T> factor(a(r, k));
#pragma GCC unroll 8
            for (int v = 0; v < Registers; ++v) {
                sums[r][v] = fma(factor, row[v], sums[r][v]);
            }
        }
    }
    constexpr Index kLast = (Registers - 1) * kLanes;
    const auto finish = [&](auto last) {
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            T* to = c.data + r * c.stride;
            const T* start = c.start + r * c.start_stride;
#pragma GCC unroll 8
            for (int v = 0; v + 1 < Registers; ++v) {
                const simd::Whole<T> at{v * kLanes};
                at.store(to, at.load(start) + sums[r][v]);
            }
            last.store(to, last.load(start) + sums[r][Registers - 1]);
        }
    };
    if (c.columns == Registers * kLanes) {
        finish(simd::Whole<T>{kLast});
    } else {
        finish(simd::Head<T>{kLast, c.columns - kLast});
    }
}

// All rows of C for the columns of one strip.
template <int Registers, class T, class Left>
void over_rows(Left a, Index rows, Strip<T> b, Index depth, Target<T> c) noexcept {
    Index i = 0;
    const auto next = [&]<int Rows>(std::integral_constant<int, Rows>) {
        block<Rows, Registers, T>(a.from(i), b, depth, c.from(i));
        i += Rows;
    };
    while (i + kBlockRows <= rows) next(std::integral_constant<int, kBlockRows>{});
    if constexpr (kBlockRows > 4) {
        if (i + 4 <= rows) next(std::integral_constant<int, 4>{});
    }
    if (i + 2 <= rows) next(std::integral_constant<int, 2>{});
    if (i < rows) next(std::integral_constant<int, 1>{});
}

// Registers of columns to take when so many are left; four are two and two.
constexpr int next_registers(Index left) {
    if (left == kBlockRegisters + 1 && left > 2) return static_cast<int>(left / 2);
    return static_cast<int>(std::min<Index>(left, kBlockRegisters));
}

// C += A B, or C = bias + A B at the first part of the depth, for the terms and the
// rows of one copy of A.
template <class T, class Left, class Right>
void add_part(Left a,
              Right b,
              Range terms,
              MatrixView<T> c,
              bool first,
              const T* bias) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    static constexpr T kZeros[kBlockRegisters * kLanes] = {};
    alignas(64) T copy[kDepth<T> * kBlockRegisters * kLanes];

    for (Index j = 0; j < c.cols;) {
        const int registers = next_registers(ceil_div(c.cols - j, kLanes));
        const Index columns = std::min(registers * kLanes, c.cols - j);
        const Part part{terms.begin, terms.size(), j, columns, registers};
        const Strip<T> strip = b.strip(part, c.rows, copy);
        Target<T> target{c.data + j, c.stride, columns, kZeros, 0};
        if (!first) {
            target.start = target.data;
            target.start_stride = c.stride;
        } else if (bias) {
            target.start = bias + j;
        }
        const auto run = [&]<int Registers>(std::integral_constant<int, Registers>) {
            over_rows<Registers, T>(a, c.rows, strip, part.depth, target);
        };
        if (registers == 1) {
            run(std::integral_constant<int, 1>{});
        } else if (registers == 2) {
            run(std::integral_constant<int, 2>{});
        } else if constexpr (kBlockRegisters == 3) {
            run(std::integral_constant<int, 3>{});
        }
        j += columns;
    }
}

// The same for all rows of a transpose that is copied together, some rows at a time.
template <class T, class Right>
void add_grouped(Transposed<T> a,
                 Right b,
                 Range terms,
                 MatrixView<T> c,
                 bool first,
                 const T* bias) noexcept {
    alignas(64) T copy[kDepth<T> * kRowsAtOnce];
    for (Index i = 0; i < c.rows; i += kRowsAtOnce) {
        const Range rows{i, std::min(i + kRowsAtOnce, c.rows)};
        const Grouped<T> group =
            grouped(a.from(i, terms.begin), rows.size(), terms.size(), copy);
        add_part(group, b, terms, c.row_slice(rows), first, bias);
    }
}

// Columns of C whose strips together pay back that A is copied for them.
inline constexpr Index kManyColumns = 256;

// Whether C is made anew, or added to.
enum class Into { kNew, kSum };

// C = A B, or with a `bias` (n) that is not null C = 1 bias^T + A B; C += A B into a
// sum.
template <class T, class Left, class Right>
void product(Left a,
             Right b,
             Index depth,
             MatrixView<T> c,
             const T* bias,
             Into into = Into::kNew) noexcept {
    const Index parts = std::max<Index>(ceil_div(depth, kDepth<T>), 1);
    for (Index p = 0; p < parts; ++p) {
        const Range terms = tile_range(p, ceil_div(depth, parts), depth);
        const bool first = p == 0 && into == Into::kNew;
        if constexpr (std::is_same_v<Left, Transposed<T>>) {
            if (a.stride >= kFarApart<T> && c.cols >= kManyColumns) {
                add_grouped(a, b, terms, c, first, bias);
                continue;
            }
        }
        add_part(a.from(0, terms.begin), b, terms, c, first, bias);
    }
}

}  // namespace fastnn::gemm
