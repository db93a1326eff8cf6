#include "fastnn/kernels/thin.hpp"

#include <algorithm>

#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

using simd::Vec;

// An operand whose element (i, k) lies at data[i * row_step + k * depth_step].
template <class T>
struct Strided {
    const T* data;
    Index row_step;
    Index depth_step;

    Strided from_row(Index i) const {
        return {data + i * row_step, row_step, depth_step};
    }
};

// C += A B for R rows and V registers of columns, all held in registers; B has rows of
// `b_step`. `at(v)` loads and stores the v-th register of columns of a row. The product
// is summed apart and then added: a C that grows over many calls loses few digits.
template <int R, int V, class T, class At>
void block(Strided<T> a,
           const T* b,
           Index b_step,
           Index depth,
           T* c,
           Index c_step,
           At at) {
    Vec<T> sums[R][V];
    for (Index k = 0; k < depth; ++k) {
        Vec<T> row[V];
        for (int v = 0; v < V; ++v) row[v] = at(v).load(b + k * b_step);
        for (int r = 0; r < R; ++r) {
            const Vec<T> factor(a.data[r * a.row_step + k * a.depth_step]);
            for (int v = 0; v < V; ++v) sums[r][v] = fma(factor, row[v], sums[r][v]);
        }
    }
    for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v) {
            T* to = c + r * c_step;
            at(v).store(to, at(v).load(to) + sums[r][v]);
        }
    }
}

// All rows of C for the columns that `at` stands for, R rows at a time and then singly.
template <int R, int V, class T, class At>
void over_rows(Strided<T> a, MatrixView<const T> b, MatrixView<T> c, At at) {
    Index i = 0;
    for (; i + R <= c.rows; i += R) {
        block<R, V>(a.from_row(i), b.data, b.stride, b.rows, c.row(i), c.stride, at);
    }
    for (; i < c.rows; ++i) {
        block<1, V>(a.from_row(i), b.data, b.stride, b.rows, c.row(i), c.stride, at);
    }
}

// C += A B with B (depth, cols) row-major
template <class T>
void add_product(Strided<T> a, MatrixView<const T> b, MatrixView<T> c) {
    constexpr Index kWidth = Vec<T>::kWidth;
    Index j = 0;
    const auto whole = [&](int v) { return simd::Whole<T>{j + v * kWidth}; };
    for (; j + 4 * kWidth <= c.cols; j += 4 * kWidth) over_rows<4, 4>(a, b, c, whole);
    for (; j + kWidth <= c.cols; j += kWidth) over_rows<8, 1>(a, b, c, whole);
    if (j < c.cols) {
        over_rows<8, 1>(a, b, c, [&](int) { return simd::Head<T>{j, c.cols - j}; });
    }
}

template <class T>
void fill(MatrixView<T> y, VectorView<const T> values) {
    for (Index i = 0; i < y.rows; ++i) {
        if (values.empty()) {
            std::fill_n(y.row(i), y.cols, T(0));
        } else {
            std::copy_n(values.data, y.cols, y.row(i));
        }
    }
}

// --- three units or more: a lane for each unit ---------------------------------------

constexpr Index kDepth = 256;  // of the packed panel, which stays in L1

// A register as a template argument loses attributes that matter here to nobody.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

// panel(k, unit) := w(unit, k), with zeros for the units that fill up the last register
template <class T>
void pack(MatrixView<const T> w, Index lanes, T* panel) {
    constexpr Index kWidth = Vec<T>::kWidth;
    using Block = Eigen::internal::PacketBlock<typename Vec<T>::Packet, kWidth>;
    for (Index unit = 0; unit < lanes; unit += kWidth) {
        simd::for_each<T>(w.cols, [&](auto at) {
            Block square;
            for (Index u = 0; u < kWidth; ++u) {
                const bool real = unit + u < w.rows;
                square.packet[u] = (real ? at.load(w.row(unit + u)) : Vec<T>()).packet;
            }
            Eigen::internal::ptranspose(square);
            const Index n = std::min(kWidth, w.cols - at.i);
            for (Index k = 0; k < n; ++k) {
                Vec<T>(square.packet[k]).store(panel + (at.i + k) * lanes + unit);
            }
        });
    }
}

#pragma GCC diagnostic pop

// Rows at a time for V registers of units: as many sums as 16 registers leave room for.
template <int V, class T>
void add_panel(MatrixView<const T> x, const T* panel, MatrixView<T> y) {
    constexpr Index kWidth = Vec<T>::kWidth;
    constexpr Index kLanes = V * kWidth;
    constexpr int kRows = std::max(1, 12 / V);
    const MatrixView<const T> b(panel, x.cols, kLanes);
    const Strided<T> a{x.data, x.stride, 1};
    alignas(64) T sums[kRows * kLanes];
    const auto whole = [](int v) { return simd::Whole<T>{v * kWidth}; };
    const auto rows_at = [&]<int R>(Index i, std::integral_constant<int, R>) {
        for (Index r = 0; r < R; ++r) {
            std::fill_n(std::copy_n(y.row(i + r), y.cols, sums + r * kLanes),
                        kLanes - y.cols, T(0));
        }
        block<R, V>(a.from_row(i), b.data, b.stride, b.rows, sums, kLanes, whole);
        for (Index r = 0; r < R; ++r)
            std::copy_n(sums + r * kLanes, y.cols, y.row(i + r));
    };
    Index i = 0;
    for (; i + kRows <= x.rows; i += kRows) {
        rows_at(i, std::integral_constant<int, kRows>{});
    }
    for (; i < x.rows; ++i) rows_at(i, std::integral_constant<int, 1>{});
}

template <class T>
void forward_by_units(MatrixView<const T> x, MatrixView<const T> w, MatrixView<T> y) {
    constexpr Index kWidth = Vec<T>::kWidth;
    const Index lanes = round_up(w.rows, kWidth);
    alignas(64) T panel[kDepth * kThinUnits];
    for (Index k = 0; k < x.cols; k += kDepth) {
        const Range depth{k, std::min(k + kDepth, x.cols)};
        const MatrixView<const T> part = x.col_slice(depth);
        pack(w.col_slice(depth), lanes, panel);
        switch (lanes / kWidth) {
            case 1:
                add_panel<1>(part, panel, y);
                break;
            case 2:
                add_panel<2>(part, panel, y);
                break;
            case 3:
                add_panel<3>(part, panel, y);
                break;
            case 4:
                add_panel<4>(part, panel, y);
                break;
            case 5:
                add_panel<5>(part, panel, y);
                break;
            case 6:
                add_panel<6>(part, panel, y);
                break;
            case 7:
                add_panel<7>(part, panel, y);
                break;
            default:
                add_panel<8>(part, panel, y);
                break;
        }
    }
}

// --- one or two units: lanes along the inputs ----------------------------------------

template <int Units, int R, class T>
void dot_rows(const T* x,
              Index x_step,
              const T* w,
              Index w_step,
              Index depth,
              T* y,
              Index y_step) {
    Vec<T> sums[R][Units];
    simd::for_each<T>(depth, [&](auto at) {
        for (int u = 0; u < Units; ++u) {
            const Vec<T> weights = at.load(w + u * w_step);
            for (int r = 0; r < R; ++r) {
                sums[r][u] = fma(at.load(x + r * x_step), weights, sums[r][u]);
            }
        }
    });
    for (int r = 0; r < R; ++r) {
        for (int u = 0; u < Units; ++u) y[r * y_step + u] += sum(sums[r][u]);
    }
}

template <int Units, class T>
void forward_by_dots(MatrixView<const T> x, MatrixView<const T> w, MatrixView<T> y) {
    constexpr int kRows = 4;
    Index i = 0;
    for (; i + kRows <= x.rows; i += kRows) {
        dot_rows<Units, kRows>(x.row(i), x.stride, w.data, w.stride, x.cols, y.row(i),
                               y.stride);
    }
    for (; i < x.rows; ++i) {
        dot_rows<Units, 1>(x.row(i), x.stride, w.data, w.stride, x.cols, y.row(i),
                           y.stride);
    }
}

}  // namespace

template <class T>
void thin_forward(MatrixView<const T> x,
                  MatrixView<const T> w,
                  VectorView<const T> b,
                  MatrixView<T> y) noexcept {
    fill(y, b);
    if (w.rows == 1) {
        forward_by_dots<1>(x, w, y);
    } else if (w.rows == 2) {
        forward_by_dots<2>(x, w, y);
    } else if (w.rows > 0) {
        forward_by_units(x, w, y);
    }
}

template <class T>
void thin_backward_input(MatrixView<const T> dy,
                         MatrixView<const T> w,
                         MatrixView<T> dx) noexcept {
    fill(dx, VectorView<const T>{});
    add_product(Strided<T>{dy.data, dy.stride, 1}, w, dx);
}

template <class T>
void thin_backward_weights(MatrixView<const T> dy,
                           MatrixView<const T> x,
                           MatrixView<T> dw) noexcept {
    constexpr Index kRows = 128;  // a strip of x of this height stays in L1
    fill(dw, VectorView<const T>{});
    for (Index i = 0; i < x.rows; i += kRows) {
        const Range rows{i, std::min(i + kRows, x.rows)};
        add_product(Strided<T>{dy.row(i), 1, dy.stride}, x.row_slice(rows), dw);
    }
}

#define FASTNN_INSTANTIATE(T)                                                        \
    template void thin_forward<T>(MatrixView<const T>, MatrixView<const T>,          \
                                  VectorView<const T>, MatrixView<T>) noexcept;      \
    template void thin_backward_input<T>(MatrixView<const T>, MatrixView<const T>,   \
                                         MatrixView<T>) noexcept;                    \
    template void thin_backward_weights<T>(MatrixView<const T>, MatrixView<const T>, \
                                           MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
