#include "fastnn/core/buffer.hpp"
#include "fastnn/kernels/normalize.hpp"
#include "fastnn/kernels/parallel.hpp"
#include "fastnn/kernels/reduce.hpp"

namespace fastnn::parallel {
namespace {

// Tiles stay in L2 from one pass to the next.
template <class T>
RowTiles normalize_tiles(MatrixView<const T> x) {
    constexpr Index kTileBytes = 64 << 10;
    return RowTiles::of_bytes(x.rows, x.cols * static_cast<Index>(sizeof(T)),
                              kTileBytes, 8);
}

// Two vectors of column statistics for each tile.
template <class T>
class TileSums {
public:
    TileSums(Index tiles, Index cols)
        : tiles_(tiles), stride_(padded_stride<T>(cols)), sums_(2 * tiles * stride_) {}

    T* first(Index tile) { return sums_.data() + 2 * tile * stride_; }
    T* second(Index tile) { return first(tile) + stride_; }
    // (first, second) := the sums over the tiles, in their order
    void add_up(VectorView<T> first_sum, VectorView<T> second_sum) {
        add_up(first_sum, 0);
        add_up(second_sum, stride_);
    }

private:
    void add_up(VectorView<T> total, Index offset) {
        const MatrixView<const T> parts(sums_.data() + offset, tiles_, total.size,
                                        2 * stride_);
        column_sums<T>(parts, total.data);
    }

    Index tiles_;
    Index stride_;
    Buffer<T> sums_;
};

}  // namespace

template <class T>
void batchnorm_forward(int n_threads,
                       MatrixView<const T> x,
                       const T* gamma,
                       const T* beta,
                       double eps,
                       MatrixView<T> y,
                       VectorView<T> mean,
                       T* inv_std) {
    const RowTiles tiles = normalize_tiles(x);
    TileSums<T> moments(tiles.count(), x.cols);
    const auto merge = [&] {
        std::copy_n(moments.first(0), x.cols, mean.data);
        T* m2 = moments.second(0);
        for (Index i = 1; i < tiles.count(); ++i) {
            merge_moments<T>(x.cols, tiles[i].begin, mean.data, m2, tiles[i].size(),
                             moments.first(i), moments.second(i));
        }
        scale<T>({m2, x.cols}, 1.0 / static_cast<double>(x.rows));
        inverse_deviation<T>({m2, x.cols}, eps, inv_std);
    };
    two_stages(
        n_threads, tiles.count(),
        [&](Index i, int) {
            column_moments<T>(x.row_slice(tiles[i]), moments.first(i),
                              moments.second(i));
        },
        merge, tiles.count(),
        [&](Index i, int) {
            batchnorm_apply<T>(x.row_slice(tiles[i]), mean.data, inv_std, gamma, beta,
                               y.row_slice(tiles[i]));
        });
}

template <class T>
void batchnorm_backward(int n_threads,
                        MatrixView<const T> dy,
                        MatrixView<const T> x,
                        const T* gamma,
                        const T* mean,
                        const T* inv_std,
                        MatrixView<T> dx,
                        VectorView<T> dgamma,
                        VectorView<T> dbeta) {
    const RowTiles tiles = normalize_tiles(x);
    TileSums<T> sums(tiles.count(), x.cols);
    two_stages(
        n_threads, tiles.count(),
        [&](Index i, int) {
            batchnorm_sums<T>(dy.row_slice(tiles[i]), x.row_slice(tiles[i]), mean,
                              inv_std, sums.first(i), sums.second(i));
        },
        [&] { sums.add_up(dgamma, dbeta); }, tiles.count(),
        [&](Index i, int) {
            batchnorm_backward_input<T>(dy.row_slice(tiles[i]), x.row_slice(tiles[i]),
                                        mean, inv_std, gamma, dgamma.data, dbeta.data,
                                        x.rows, dx.row_slice(tiles[i]));
        });
}

template <class T>
void batchnorm_inference(int n_threads,
                         MatrixView<const T> x,
                         const T* gamma,
                         const T* beta,
                         const T* mean,
                         VectorView<const T> variance,
                         double eps,
                         MatrixView<T> y) {
    const RowTiles tiles = normalize_tiles(x);
    Buffer<T> inv_std(x.cols);
    inverse_deviation<T>(variance, eps, inv_std.data());
    parallel_for(n_threads, tiles.count(), [&](Index i, int) {
        batchnorm_apply<T>(x.row_slice(tiles[i]), mean, inv_std.data(), gamma, beta,
                           y.row_slice(tiles[i]));
    });
}

template <class T>
void layernorm_forward(int n_threads,
                       MatrixView<const T> x,
                       const T* gamma,
                       const T* beta,
                       double eps,
                       MatrixView<T> y,
                       T* mean,
                       T* inv_std) {
    const RowTiles tiles = normalize_tiles(x);
    parallel_for(n_threads, tiles.count(), [&](Index i, int) {
        const Range r = tiles[i];
        fastnn::layernorm_forward<T>(x.row_slice(r), gamma, beta, eps, y.row_slice(r),
                                     mean + r.begin, inv_std + r.begin);
    });
}

template <class T>
void layernorm_backward(int n_threads,
                        MatrixView<const T> dy,
                        MatrixView<const T> x,
                        const T* gamma,
                        const T* mean,
                        const T* inv_std,
                        MatrixView<T> dx,
                        VectorView<T> dgamma,
                        VectorView<T> dbeta) {
    const RowTiles tiles = normalize_tiles(x);
    TileSums<T> sums(tiles.count(), x.cols);
    parallel_for(n_threads, tiles.count(), [&](Index i, int) {
        const Range r = tiles[i];
        const MatrixView<const T> dy_tile = dy.row_slice(r), x_tile = x.row_slice(r);
        layernorm_sums<T>(dy_tile, x_tile, mean + r.begin, inv_std + r.begin,
                          sums.first(i), sums.second(i));
        layernorm_backward_input<T>(dy_tile, x_tile, gamma, mean + r.begin,
                                    inv_std + r.begin, dx.row_slice(r));
    });
    sums.add_up(dgamma, dbeta);
}

#define FASTNN_INSTANTIATE(T)                                                          \
    template void batchnorm_forward<T>(int, MatrixView<const T>, const T*, const T*,   \
                                       double, MatrixView<T>, VectorView<T>, T*);      \
    template void batchnorm_backward<T>(int, MatrixView<const T>, MatrixView<const T>, \
                                        const T*, const T*, const T*, MatrixView<T>,   \
                                        VectorView<T>, VectorView<T>);                 \
    template void batchnorm_inference<T>(int, MatrixView<const T>, const T*, const T*, \
                                         const T*, VectorView<const T>, double,        \
                                         MatrixView<T>);                               \
    template void layernorm_forward<T>(int, MatrixView<const T>, const T*, const T*,   \
                                       double, MatrixView<T>, T*, T*);                 \
    template void layernorm_backward<T>(int, MatrixView<const T>, MatrixView<const T>, \
                                        const T*, const T*, const T*, MatrixView<T>,   \
                                        VectorView<T>, VectorView<T>);
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn::parallel
