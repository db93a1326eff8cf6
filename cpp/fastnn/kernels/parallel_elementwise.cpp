#include "fastnn/core/buffer.hpp"
#include "fastnn/kernels/parallel.hpp"

namespace fastnn::parallel {
namespace {

constexpr Index kRunBytes = 64 << 10;  // of one array; the arrays of a tile stay in L2

// body(elements) over runs of a contiguous array.
template <class T, class Body>
void over_elements(int n_threads, Index size, const Body& body) {
    const auto tiles = RowTiles::of_bytes(size, sizeof(T), kRunBytes, 1);
    parallel_for(n_threads, tiles.count(), [&](Index i, int) { body(tiles[i]); });
}

// A multiple of four rows: those share the blocks of random numbers.
template <class T>
RowTiles dropout_tiles(Index rows, Index cols) {
    constexpr Index kTileBytes = 16 << 10;
    return RowTiles::of_bytes(rows, cols * static_cast<Index>(sizeof(T)), kTileBytes,
                              4);
}

}  // namespace

template <class T>
void activation_forward(int n_threads,
                        const Activation& f,
                        VectorView<const T> z,
                        VectorView<T> y) {
    over_elements<T>(n_threads, z.size, [&](Range r) {
        fastnn::activation_forward<T>(f, z.slice(r), y.slice(r));
    });
}

template <class T>
void activation_backward(int n_threads,
                         const Activation& f,
                         VectorView<const T> dy,
                         VectorView<const T> z,
                         VectorView<T> dz) {
    over_elements<T>(n_threads, z.size, [&](Range r) {
        activation_backward_from_input<T>(f, dy.slice(r), z.slice(r), dz.slice(r));
    });
}

template <class T>
void dropout_forward(int n_threads,
                     MatrixView<const T> x,
                     double p,
                     const RandomKey& key,
                     MatrixView<T> y,
                     MatrixView<bool> mask) {
    const RowTiles tiles = dropout_tiles<T>(x.rows, x.cols);
    const Index tile_size = std::min(tiles.height, x.rows) * x.cols;
    Buffer<T> factors(tile_size * n_threads);
    parallel_for(n_threads, tiles.count(), [&](Index i, int rank) {
        const Range r = tiles[i];
        const MatrixView<T> factor(factors.data() + rank * tile_size, r.size(), x.cols);
        fastnn::dropout_forward<T>(x.row_slice(r), p, key, r.begin, y.row_slice(r),
                                   factor);
        bool* kept = mask.row(r.begin);
        for (Index k = 0; k < r.size() * x.cols; ++k) kept[k] = factor.data[k] != T(0);
    });
}

template <class T>
void dropout_backward(int n_threads,
                      MatrixView<const T> dy,
                      MatrixView<const bool> mask,
                      double p,
                      MatrixView<T> dx) {
    const T scale = static_cast<T>(1.0 / (1.0 - p));
    // Bytes, since a view of other data may hold more than 0 and 1.
    const auto* kept = reinterpret_cast<const unsigned char*>(mask.data);
    over_elements<T>(n_threads, dy.rows * dy.cols, [=](Range r) {
        const T* from = dy.data;
        T* to = dx.data;
        for (Index k = r.begin; k < r.end; ++k) {
            to[k] = from[k] * (static_cast<T>(kept[k] != 0) * scale);
        }
    });
}

#define FASTNN_INSTANTIATE(T)                                                         \
    template void activation_forward<T>(int, const Activation&, VectorView<const T>,  \
                                        VectorView<T>);                               \
    template void activation_backward<T>(int, const Activation&, VectorView<const T>, \
                                         VectorView<const T>, VectorView<T>);         \
    template void dropout_forward<T>(int, MatrixView<const T>, double,                \
                                     const RandomKey&, MatrixView<T>,                 \
                                     MatrixView<bool>);                               \
    template void dropout_backward<T>(int, MatrixView<const T>,                       \
                                      MatrixView<const bool>, double, MatrixView<T>);
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn::parallel
