#include <algorithm>

#include "fastnn/core/buffer.hpp"
#include "fastnn/kernels/affine.hpp"
#include "fastnn/kernels/parallel.hpp"
#include "fastnn/kernels/reduce.hpp"

namespace fastnn::parallel {
namespace {

// Packed weights and dZ, kept by the calling thread from call to call.
template <class T>
struct Scratch {
    Buffer<T> panels;
    Buffer<T> dz;

    static Scratch& of_this_thread() {
        thread_local Scratch scratch;
        return scratch;
    }
};

// The result (rows, cols) of a product in tiles, cut such that little is read twice: a
// tile reads its rows of one operand and its columns of the other, so `parts` tiles
// read rows * (cuts along cols) + cols * (cuts along rows) vectors of the depth.
//
// An element is summed over the depth alike wherever it is cut (gemm.hpp), so that here
// the number of parts may follow the number of threads.
class ProductTiles {
public:
    ProductTiles(int n_threads, Index rows, Index cols, Index depth)
        : rows_(rows), cols_(cols) {
        constexpr Index kWorth = 1 << 20;  // multiply-adds that are worth a tile
        constexpr Index kTallest = 1024;   // the result is in L2 for the activation
        const Index most = std::max<Index>(rows * cols * depth / kWorth, 1);
        const Index parts = n_threads == 1 ? 1 : std::min<Index>(2 * n_threads, most);
        const Index least_down = std::max<Index>(ceil_div(rows, kTallest), 1);
        Index best = -1;
        for (Index down = least_down; down <= std::max(parts, least_down); ++down) {
            const Index across = ceil_div(parts, down);
            const Index read = rows * across + cols * down;
            if (best >= 0 && read >= best) continue;
            best = read;
            height_ = extent(rows, down, kRowStep);
            width_ = extent(cols, across, kColStep);
        }
    }

    Index count() const noexcept { return ceil_div(rows_, height_) * across(); }
    Range rows(Index i) const noexcept {
        return tile_range(i / across(), height_, rows_);
    }
    Range cols(Index i) const noexcept {
        return tile_range(i % across(), width_, cols_);
    }

private:
    // Multiples of the blocks that the product takes at once, at every CPU level.
    static constexpr Index kRowStep = 8;
    static constexpr Index kColStep = 48;
    static_assert(kColStep % kPanelUnits == 0);

    static Index extent(Index total, Index parts, Index step) noexcept {
        return std::max(round_up(ceil_div(total, parts), step), step);
    }
    Index across() const noexcept { return ceil_div(cols_, width_); }

    Index rows_, cols_;
    Index height_ = kRowStep, width_ = kColStep;
};

template <class T>
VectorView<T> elements(MatrixView<T> contiguous) {
    return {contiguous.data, contiguous.rows * contiguous.cols};
}

template <class T>
void activate(const Activation& f, MatrixView<T> y) {
    if (y.is_contiguous()) {
        return fastnn::activation_forward<T>(f, elements(y), elements(y));
    }
    for (Index i = 0; i < y.rows; ++i) {
        const VectorView<T> row{y.row(i), y.cols};
        fastnn::activation_forward<T>(f, row, row);
    }
}

}  // namespace

template <class T>
void dense_forward(int n_threads,
                   MatrixView<const T> x,
                   MatrixView<const T> w,
                   VectorView<const T> b,
                   const Activation& f,
                   MatrixView<T> y) {
    const ProductTiles tiles(n_threads, x.rows, w.rows, x.cols);
    Buffer<T>& panels = Scratch<T>::of_this_thread().panels;
    panels.reserve(panels_size(w.rows, w.cols));
    T* packed = panels.data();
    const PackedWeightsView<T> all{packed, w.rows};

    constexpr Index kSlice = 8 * kPanelUnits;
    const RowTiles slices{w.rows, kSlice};
    const auto pack = [&](Index i, int) { pack_weights<T>(w, slices[i], packed); };
    const auto product = [&](Index i, int) {
        const Range rows = tiles.rows(i), units = tiles.cols(i);
        const MatrixView<T> tile = y.row_slice(rows).col_slice(units);
        affine_forward<T>(x.row_slice(rows), all.from(units.begin, x.cols),
                          b.empty() ? b : b.slice(units), tile);
        if (!is_identity(f)) activate(f, tile);
    };
    two_stages(n_threads, slices.count(), pack, [] {}, tiles.count(), product);
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
    Scratch<T>& scratch = Scratch<T>::of_this_thread();
    const bool linear = is_identity(f);
    const VectorView<const T> all = elements(dy);
    if (!linear) scratch.dz.reserve(all.size);
    const MatrixView<const T> dz =
        linear ? dy : MatrixView<T>(scratch.dz.data(), dy.rows, dy.cols);

    constexpr Index kRun = 16384;
    const RowTiles runs{linear ? 0 : all.size, kRun};
    const auto slopes = [&](Index i, int) {
        const Range r = runs[i];
        fastnn::activation_backward<T>(f, all.slice(r), elements(s).slice(r),
                                       {scratch.dz.data() + r.begin, r.size()});
    };
    const ProductTiles inputs(n_threads, x.rows, w.cols, w.rows);
    const ProductTiles weights(n_threads, w.rows, w.cols, x.rows);
    const auto products = [&](Index i, int) {
        if (i < inputs.count()) {
            const Range rows = inputs.rows(i), cols = inputs.cols(i);
            affine_backward_input<T>(dz.row_slice(rows), w.col_slice(cols),
                                     dx.row_slice(rows).col_slice(cols));
        } else if (i -= inputs.count(); i < weights.count()) {
            const Range units = weights.rows(i), cols = weights.cols(i);
            affine_backward_weights<T>(dz.col_slice(units), x.col_slice(cols),
                                       dw.row_slice(units).col_slice(cols));
        } else {
            column_sums<T>(dz, db.data);
        }
    };
    two_stages(
        n_threads, runs.count(), slopes, [] {}, inputs.count() + weights.count() + 1,
        products);
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
