#include <vector>

#include "fastnn/kernels/affine.hpp"
#include "fastnn/kernels/parallel.hpp"
#include "fastnn/kernels/reduce.hpp"

namespace fastnn::parallel {
namespace {

// Packed panels of each rank and dZ, kept by the calling thread from call to call.
template <class T>
struct Scratch {
    std::vector<GemmScratch<T>> gemm;
    Buffer<T> dz;

    static Scratch& for_threads(int n_threads) {
        thread_local Scratch scratch;
        const auto n = static_cast<std::size_t>(n_threads);
        if (scratch.gemm.size() < n) scratch.gemm.resize(n);
        return scratch;
    }
    GemmScratch<T>& of(int rank) { return gemm[static_cast<std::size_t>(rank)]; }
};

// Tall enough to pay for packing the weights once a tile, low enough that the result is
// still in L2 when the activation runs over it.
RowTiles dense_tiles(Index rows) {
    return {rows, std::clamp<Index>(round_up(ceil_div(rows, 16), kRowStep), 64, 512)};
}

// dW in tiles along its longer side.
struct WeightTiles {
    Index out, in;

    static constexpr Index kTiles = 8;
    Index longer() const noexcept { return std::max(out, in); }
    Index width() const noexcept {
        return std::max<Index>(64, round_up(ceil_div(longer(), kTiles), 16));
    }
    Index count() const noexcept { return ceil_div(longer(), width()); }
    Range outputs(Index i) const noexcept {
        return out >= in ? tile_range(i, width(), out) : Range{0, out};
    }
    Range inputs(Index i) const noexcept {
        return out >= in ? Range{0, in} : tile_range(i, width(), in);
    }
};

template <class T>
VectorView<T> elements(MatrixView<T> contiguous) {
    return {contiguous.data, contiguous.rows * contiguous.cols};
}

}  // namespace

template <class T>
void dense_forward(int n_threads,
                   MatrixView<const T> x,
                   MatrixView<const T> w,
                   VectorView<const T> b,
                   const Activation& f,
                   MatrixView<T> y) {
    const RowTiles tiles = dense_tiles(x.rows);
    Scratch<T>& scratch = Scratch<T>::for_threads(n_threads);
    const bool activate = !is_identity(f);
    parallel_for(n_threads, tiles.count(), [&](Index i, int rank) {
        const MatrixView<T> tile = y.row_slice(tiles[i]);
        affine_forward<T>(x.row_slice(tiles[i]), w, b, tile, scratch.of(rank));
        if (activate) fastnn::activation_forward<T>(f, elements(tile), elements(tile));
    });
}

template <class T>
void dense_backward(int n_threads,
                    MatrixView<const T> dy,
                    MatrixView<const T> x,
                    MatrixView<const T> w,
                    const Activation& f,
                    MatrixView<const T> s,
                    MatrixView<T> dx,
                    MatrixView<T> dw,
                    VectorView<T> db) {
    Scratch<T>& scratch = Scratch<T>::for_threads(n_threads);
    const bool activate = !is_identity(f);
    if (activate) scratch.dz.reserve(dy.rows * dy.cols);
    const MatrixView<const T> dz =
        activate ? MatrixView<T>(scratch.dz.data(), dy.rows, dy.cols) : dy;

    const auto inputs = [&](Index i, int rank, const RowTiles& tiles) {
        const Range r = tiles[i];
        if (activate) {
            const MatrixView<T> tile(scratch.dz.data() + r.begin * dy.cols, r.size(),
                                     dy.cols);
            fastnn::activation_backward<T>(f, elements(dy.row_slice(r)),
                                           elements(s.row_slice(r)), elements(tile));
        }
        affine_backward_input<T>(dz.row_slice(r), w, dx.row_slice(r), scratch.of(rank));
    };
    const auto weights = [&](Index i, int rank, const WeightTiles& tiles) {
        const Range out = tiles.outputs(i), in = tiles.inputs(i);
        affine_backward_weights<T>(dz.col_slice(out), x.col_slice(in),
                                   dw.row_slice(out).col_slice(in), scratch.of(rank));
    };
    const RowTiles rows = dense_tiles(x.rows);
    const WeightTiles units{w.rows, w.cols};
    two_stages(
        n_threads, rows.count(), [&](Index i, int rank) { inputs(i, rank, rows); },
        [] {}, units.count() + 1,
        [&](Index i, int rank) {
            if (i == 0) {
                column_sums<T>(dz, db.data);
            } else {
                weights(i - 1, rank, units);
            }
        });
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void dense_forward<T>(int, MatrixView<const T>, MatrixView<const T>,      \
                                   VectorView<const T>, const Activation&,             \
                                   MatrixView<T>);                                     \
    template void dense_backward<T>(int, MatrixView<const T>, MatrixView<const T>,     \
                                    MatrixView<const T>, const Activation&,            \
                                    MatrixView<const T>, MatrixView<T>, MatrixView<T>, \
                                    VectorView<T>);
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn::parallel
