// The kernels over whole arrays: rows are cut into tiles, tiles are shared among
// threads.
//
// Tile sizes follow from the shapes alone and partial sums are added in the order of
// the tiles, so results have the same bits for any number of threads.
#pragma once

#include <algorithm>

#include "fastnn/core/threads.hpp"
#include "fastnn/kernels/activation.hpp"
#include "fastnn/kernels/dropout.hpp"

namespace fastnn::parallel {

// Equal tiles over the rows of a matrix.
struct RowTiles {
    Index rows;
    Index height;

    // Tiles of about `bytes`, a multiple of `step` rows high.
    static RowTiles of_bytes(Index rows, Index row_bytes, Index bytes, Index step) {
        const Index fitting = bytes / std::max<Index>(row_bytes, 1);
        return {rows, std::max(step, fitting / step * step)};
    }
    Index count() const noexcept { return ceil_div(rows, height); }
    Range operator[](Index i) const noexcept { return tile_range(i, height, rows); }
};

// Two stages of tiles; `between` runs alone, after the first and before the second.
template <class First, class Between, class Second>
void two_stages(int n_threads,
                Index first_tiles,
                const First& first,
                const Between& between,
                Index second_tiles,
                const Second& second) {
    struct Job {
        Index first_tiles, second_tiles;
        const First& first;
        const Between& between;
        const Second& second;
        int stage = 0;

        Index tiles() const { return stage == 0 ? first_tiles : second_tiles; }
        void run(Index tile, int rank) const {
            if (stage == 0) {
                first(tile, rank);
            } else {
                second(tile, rank);
            }
        }
        bool advance() {
            if (stage++ > 0) return false;
            between();
            return true;
        }
        bool interrupted() const { return false; }
    };
    Job job{first_tiles, second_tiles, first, between, second};
    const Index useful = std::max<Index>({1, first_tiles, second_tiles});
    run_job(static_cast<int>(std::min<Index>(useful, n_threads)), job);
}

// y = f(z); y may be z
template <class T>
void activation_forward(int n_threads,
                        const Activation& f,
                        VectorView<const T> z,
                        VectorView<T> y);

// dz = dy f'(z); dz may be dy or z
template <class T>
void activation_backward(int n_threads,
                         const Activation& f,
                         VectorView<const T> dy,
                         VectorView<const T> z,
                         VectorView<T> dz);

// y = x where kept, scaled by 1 / (1 - p); 0 elsewhere
template <class T>
void dropout_forward(int n_threads,
                     MatrixView<const T> x,  // (rows, cols)
                     double p,
                     const RandomKey& key,
                     MatrixView<T> y,         // (rows, cols), may be x
                     MatrixView<bool> mask);  // (rows, cols), true where kept

template <class T>
void dropout_backward(int n_threads,
                      MatrixView<const T> dy,       // (rows, cols)
                      MatrixView<const bool> mask,  // (rows, cols)
                      double p,
                      MatrixView<T> dx);  // (rows, cols), may be dy

// Y = f(X W^T + 1 b^T)
template <class T>
void dense_forward(int n_threads,
                   MatrixView<const T> x,  // (rows, in)
                   MatrixView<const T> w,  // (out, in)
                   VectorView<const T> b,  // (out), or empty
                   const Activation& f,
                   MatrixView<T> y);  // (rows, out)

// dZ = dY f'(s);  dX = dZ W,  dW = dZ^T X,  db = sum of the rows of dZ
template <class T>
void dense_backward(int n_threads,
                    MatrixView<const T> dy,  // (rows, out)
                    MatrixView<const T> x,   // (rows, in)
                    MatrixView<const T> w,   // (out, in)
                    const Activation& f,
                    MatrixView<const T> s,  // (rows, out), see slope_needs_input
                    MatrixView<T> dx,       // (rows, in)
                    MatrixView<T> dw,       // (out, in)
                    VectorView<T> db);      // (out)

// y = (x - mean) inv_std gamma + beta with the moments of x's columns
template <class T>
void batchnorm_forward(int n_threads,
                       MatrixView<const T> x,  // (rows, cols)
                       const T* gamma,
                       const T* beta,  // (cols)
                       double eps,
                       MatrixView<T> y,  // (rows, cols), may be x
                       VectorView<T> mean,
                       T* inv_std);  // (cols)

template <class T>
void batchnorm_backward(int n_threads,
                        MatrixView<const T> dy,  // (rows, cols)
                        MatrixView<const T> x,   // (rows, cols)
                        const T* gamma,
                        const T* mean,
                        const T* inv_std,  // (cols)
                        MatrixView<T> dx,  // (rows, cols), may be dy
                        VectorView<T> dgamma,
                        VectorView<T> dbeta);  // (cols)

// y = (x - mean) inv_std gamma + beta with given statistics
template <class T>
void batchnorm_inference(int n_threads,
                         MatrixView<const T> x,  // (rows, cols)
                         const T* gamma,
                         const T* beta,  // (cols)
                         const T* mean,
                         VectorView<const T> variance,  // (cols)
                         double eps,
                         MatrixView<T> y);  // (rows, cols), may be x

// y = (x - mean) inv_std gamma + beta with the moments of x's rows
template <class T>
void layernorm_forward(int n_threads,
                       MatrixView<const T> x,  // (rows, cols)
                       const T* gamma,
                       const T* beta,  // (cols)
                       double eps,
                       MatrixView<T> y,  // (rows, cols), may be x
                       T* mean,
                       T* inv_std);  // (rows)

template <class T>
void layernorm_backward(int n_threads,
                        MatrixView<const T> dy,  // (rows, cols)
                        MatrixView<const T> x,   // (rows, cols)
                        const T* gamma,          // (cols)
                        const T* mean,
                        const T* inv_std,  // (rows)
                        MatrixView<T> dx,  // (rows, cols), may be dy
                        VectorView<T> dgamma,
                        VectorView<T> dbeta);  // (cols)

}  // namespace fastnn::parallel
