#include "fastnn/kernels/affine_sparse.hpp"

#include "fastnn/kernels/gemm.hpp"

namespace fastnn {
namespace {

using simd::Vec;

// Terms of each part of a sum over `depth` (gemm::product).
template <class T>
Index part_length(Index depth) noexcept {
    const Index parts = std::max<Index>(ceil_div(depth, gemm::kDepth<T>), 1);
    return ceil_div(depth, parts);
}

// --- forward -------------------------------------------------------------------------

// Registers of units whose sums run side by side: two for each, the part's and all.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kForwardRegisters = 8;
#else
constexpr int kForwardRegisters = 4;
#endif

// The weights of one input for the r-th register of units, packed before.
template <class T>
struct Packed {
    const T* panels;
    Index panel_step;  // from register to register
    Index lanes;       // from input to input

    Vec<T> operator()(Index input, int r) const {
        return Vec<T>::load(panels + input * lanes + r * panel_step);
    }
};

// The same, put together where they are needed: W (out, in) as it is.
template <class T>
struct Scattered {
    MatrixView<const T> w;

    Vec<T> operator()(Index input, int r) const {
        constexpr Index kLanes = Vec<T>::kWidth;
        alignas(64) T lanes[kLanes] = {};
        const Index n = std::min(kLanes, w.rows - r * kLanes);
        for (Index u = 0; u < n; ++u) lanes[u] = w(r * kLanes + u, input);
        return Vec<T>::load(lanes);
    }
};

// One row of Y for `Registers` registers of units; the last may be filled in part.
template <int Registers, class T, class Weights, class Last>
void row_forward(const SparseRow<T>& x,
                 const Weights& w,
                 std::uint32_t part,
                 const T* b,
                 T* y,
                 Last last) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    Vec<T> total[Registers], sum[Registers];
    if (b) {
        for (int r = 0; r + 1 < Registers; ++r) total[r] = Vec<T>::load(b + r * kLanes);
        total[Registers - 1] = last.load(b);
    }
    const auto add_part = [&] {
#pragma GCC unroll 8
        for (int r = 0; r < Registers; ++r) {
            total[r] += sum[r];
            sum[r] = Vec<T>();
        }
    };
    std::uint32_t part_end = part;
    for (Index k = 0; k < x.size; ++k) {
        const auto column = static_cast<std::uint32_t>(x.columns[k]);
        if (column >= part_end) {
            add_part();
            part_end = (column / part + 1) * part;
        }
        const Vec<T> value(x.values[k]);
#pragma GCC unroll 8
        for (int r = 0; r < Registers; ++r) {
            sum[r] = fma(value, w(static_cast<Index>(column), r), sum[r]);
        }
    }
    add_part();
    for (int r = 0; r + 1 < Registers; ++r) total[r].store(y + r * kLanes);
    last.store(y, total[Registers - 1]);
}

template <int Registers, class T, class Weights>
void rows_forward(const CsrView<T>& x,
                  const Weights& w,
                  const T* b,
                  MatrixView<T> y) noexcept {
    constexpr Index kLast = (Registers - 1) * Vec<T>::kWidth;
    const auto part = static_cast<std::uint32_t>(part_length<T>(x.cols));
    for (Index i = 0; i < x.rows; ++i) {
        if (y.cols == kLast + Vec<T>::kWidth) {
            row_forward<Registers>(x.row(i), w, part, b, y.row(i),
                                   simd::Whole<T>{kLast});
        } else {
            row_forward<Registers>(x.row(i), w, part, b, y.row(i),
                                   simd::Head<T>{kLast, y.cols - kLast});
        }
    }
}

// All units; weights_from(j) gives their weights from the j-th on.
template <class T, class WeightsFrom>
void forward(const CsrView<T>& x,
             VectorView<const T> b,
             MatrixView<T> y,
             const WeightsFrom& weights_from) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    for (Index j = 0; j < y.cols;) {
        const Index left = ceil_div(y.cols - j, kLanes);
        const T* bias = b.empty() ? nullptr : b.data + j;
        const auto run = [&]<int Registers>(std::integral_constant<int, Registers>) {
            const Index end = std::min(j + Registers * kLanes, y.cols);
            rows_forward<Registers>(x, weights_from(j), bias, y.col_slice({j, end}));
            j = end;
        };
        if (left >= kForwardRegisters) {
            run(std::integral_constant<int, kForwardRegisters>{});
        } else if (left >= 4) {
            run(std::integral_constant<int, 4>{});
        } else if (left >= 2) {
            run(std::integral_constant<int, 2>{});
        } else {
            run(std::integral_constant<int, 1>{});
        }
    }
}

}  // namespace

template <class T>
void affine_forward(const CsrView<T>& x,
                    PackedWeightsView<T> w,
                    VectorView<const T> b,
                    MatrixView<T> y) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    const Index lanes = w.units <= kFewUnits ? w.units : kLanes;
    forward(x, b, y, [&](Index j) {
        return Packed<T>{w.data + j * x.cols, kLanes * x.cols, lanes};
    });
}

template <class T>
void affine_forward(const CsrView<T>& x,
                    MatrixView<const T> w,
                    VectorView<const T> b,
                    MatrixView<T> y) noexcept {
    forward(x, b, y, [&](Index j) { return Scattered<T>{w.row_slice({j, w.rows})}; });
}

// --- backward ------------------------------------------------------------------------

namespace {

// Columns of X whose sums, for some registers of units, are in cache at once.
constexpr Index kColumnsAtOnce = 512;

constexpr Index kBackwardRegisters = 2;

// A register as a template argument loses attributes that matter here to nobody.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

// The sums of dW for some columns of X and registers of units: one column after
// another, as they are added to; turned when they are written to dW.
template <int Registers, class T>
class ColumnSums {
    static constexpr Index kLanes = Vec<T>::kWidth;
    static constexpr Index kSquares = kColumnsAtOnce / kLanes;  // of columns

public:
    // For at most `columns` columns.
    explicit ColumnSums(Index columns) noexcept {
        const Index squares = ceil_div(std::min(columns, kColumnsAtOnce), kLanes);
        std::fill_n(sums_, squares * kLanes * Registers * kLanes, T(0));
    }

    // sums of `column` += value dy
    void add(Index column, Vec<T> value, const Vec<T>* dy) noexcept {
        T* at = sums_ + column * Registers * kLanes;
#pragma GCC unroll 4
        for (int r = 0; r < Registers; ++r) {
            fma(dy[r], value, Vec<T>::load(at + r * kLanes)).store(at + r * kLanes);
        }
        touched_[column / kLanes] = true;
    }

    // dw = sums, or dw += sums; the sums are zero afterwards.
    void move_to(MatrixView<T> dw, bool first) noexcept {
        for (Index s = 0; s * kLanes < dw.cols; ++s) {
            const Range columns{s * kLanes, std::min((s + 1) * kLanes, dw.cols)};
            if (touched_[s]) {
                move_square(s, dw.col_slice(columns), first);
                touched_[s] = false;
            } else if (first) {
                for (Index u = 0; u < dw.rows; ++u) {
                    std::fill_n(dw.row(u) + columns.begin, columns.size(), T(0));
                }
            }
        }
    }

private:
    using Square = Eigen::internal::PacketBlock<typename Vec<T>::Packet, kLanes>;

    void move_square(Index s, MatrixView<T> dw, bool first) noexcept {
        T* from = sums_ + s * kLanes * Registers * kLanes;
        for (int r = 0; r < Registers; ++r) {
            Square square;
            for (Index k = 0; k < kLanes; ++k) {
                T* at = from + (k * Registers + r) * kLanes;
                square.packet[k] = Vec<T>::load(at).packet;
                Vec<T>().store(at);
            }
            Eigen::internal::ptranspose(square);
            const Index units = std::min(kLanes, dw.rows - r * kLanes);
            for (Index u = 0; u < units; ++u) {
                T* to = dw.row(r * kLanes + u);
                const Vec<T> sum(square.packet[u]);
                simd::for_each<T>(dw.cols, [&](auto at) {
                    at.store(to, (first ? Vec<T>() : at.load(to)) + sum);
                });
            }
        }
    }

    alignas(64) T sums_[kColumnsAtOnce * Registers * kLanes];
    bool touched_[kSquares] = {};
};

#pragma GCC diagnostic pop

// One part of the batch, for `Registers` registers of units.
template <int Registers, class T>
void part_backward(MatrixView<const T> dy,
                   const CsrView<T>& x,
                   ColumnSums<Registers, T>& sums,
                   MatrixView<T> dw,
                   bool first) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    SparseRow<T> rest[gemm::kDepth<T>];  // of each row, from these columns on
    for (Index i = 0; i < x.rows; ++i) rest[i] = x.row(i);

    for (Index begin = 0; begin < x.cols; begin += kColumnsAtOnce) {
        const Index end = std::min(begin + kColumnsAtOnce, x.cols);
        for (Index i = 0; i < x.rows; ++i) {
            SparseRow<T>& row = rest[i];
            Index k = 0;
            if (row.size == 0 || row.columns[0] >= end) continue;
            Vec<T> factor[Registers];
            simd::for_each<T>(
                dy.cols, [&](auto at) { factor[at.i / kLanes] = at.load(dy.row(i)); });
            for (; k < row.size && row.columns[k] < end; ++k) {
                sums.add(row.columns[k] - begin, Vec<T>(row.values[k]), factor);
            }
            row = {row.columns + k, row.values + k, row.size - k};
        }
        sums.move_to(dw.col_slice({begin, end}), first);
    }
}

template <int Registers, class T>
void units_backward(MatrixView<const T> dy,
                    const CsrView<T>& x,
                    MatrixView<T> dw) noexcept {
    ColumnSums<Registers, T> sums(x.cols);
    const Index length = part_length<T>(x.rows);
    for (Index i = 0; i < x.rows; i += length) {
        const Range rows{i, std::min(i + length, x.rows)};
        part_backward(dy.row_slice(rows), x.row_slice(rows), sums, dw, i == 0);
    }
}

}  // namespace

template <class T>
void affine_backward_weights(MatrixView<const T> dy,
                             const CsrView<T>& x,
                             MatrixView<T> dw) noexcept {
    constexpr Index kLanes = Vec<T>::kWidth;
    for (Index j = 0; j < dw.rows; j += kBackwardRegisters * kLanes) {
        const Range units{j, std::min(j + kBackwardRegisters * kLanes, dw.rows)};
        if (units.size() > kLanes) {
            units_backward<kBackwardRegisters>(dy.col_slice(units), x,
                                               dw.row_slice(units));
        } else {
            units_backward<1>(dy.col_slice(units), x, dw.row_slice(units));
        }
    }
}

#define FASTNN_INSTANTIATE(T)                                                        \
    template void affine_forward<T>(const CsrView<T>&, PackedWeightsView<T>,         \
                                    VectorView<const T>, MatrixView<T>) noexcept;    \
    template void affine_forward<T>(const CsrView<T>&, MatrixView<const T>,          \
                                    VectorView<const T>, MatrixView<T>) noexcept;    \
    template void affine_backward_weights<T>(MatrixView<const T>, const CsrView<T>&, \
                                             MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
