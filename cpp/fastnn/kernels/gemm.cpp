// The only translation unit that instantiates Eigen's matrix product: it is slow to
// compile. Eigen's kernel is called below the level of expressions, with our own block
// sizes and buffers, because the expression would read cache sizes from the processor,
// allocate, and switch to other summation orders for single rows.
#include "fastnn/kernels/gemm.hpp"

#include <algorithm>

#include <Eigen/Core>

namespace fastnn {
namespace {

namespace ei = Eigen::internal;

// Extents of the packed blocks: `depth` of the sum, `a` of the packed side that fills
// registers (columns of a row-major result), `b` of the other (its rows).
struct Blocks {
    Index a;
    Index b;
    Index depth;
};

// total cut into equal parts of at most `limit`, each a multiple of `step`.
constexpr Index even_parts(Index total, Index limit, Index step) {
    if (total <= limit) return std::max<Index>(total, 1);
    return round_up(ceil_div(total, ceil_div(total, limit)), step);
}

// Measured with AVX-512 at 2048^3: depths of 3.4 KiB reach 214 GFLOP/s, of 2.5 KiB 185;
// B (768 KiB) stays in L2, A is streamed through it once.
template <class T>
struct Limits {
    static constexpr Index kSize = sizeof(T);
    static constexpr Index kDepth = 3456 / kSize;
    static constexpr Index kElementsA = (8 << 20) / kSize;
    static constexpr Index kElementsB = (768 << 10) / kSize;
    static constexpr Index kStepA = 48;  // micro-panels of the kernels: 48 x 8 with
    static constexpr Index kStepB = 24;  // AVX-512, 24 x 4 with AVX2, 12 x 4 with SSE
};

// What fits beside this depth, in whole steps.
constexpr Index fitting(Index elements, Index depth, Index step) {
    return std::max(step, elements / depth / step * step);
}

template <class T>
Blocks blocks_for(Index a, Index b, Index depth) {
    using L = Limits<T>;
    const Index d = even_parts(depth, L::kDepth, 8);
    return {even_parts(a, fitting(L::kElementsA, d, L::kStepA), L::kStepA),
            even_parts(b, fitting(L::kElementsB, d, L::kStepB), L::kStepB), d};
}

template <class T>
class Blocking : public ei::level3_blocking<T, T> {
public:
    Blocking(Index a, Index b, Index depth, GemmScratch<T>& scratch) {
        const Blocks blocks = blocks_for<T>(a, b, depth);
        this->m_mc = blocks.a;
        this->m_nc = blocks.b;
        this->m_kc = blocks.depth;
        this->m_blockA = scratch.panel_a(blocks.a * blocks.depth);
        this->m_blockB = scratch.panel_b(blocks.b * blocks.depth);
    }
};

// C (m, n) += A (m, k) B (k, n), C row-major, A and B stored as named. Eigen works on
// the transpose: C^T += B^T A^T with C^T column-major, so that B fills the registers.
template <class T, int StorageA, int StorageB>
void product(Index m,
             Index n,
             Index k,
             const T* a,
             Index stride_a,
             const T* b,
             Index stride_b,
             MatrixView<T> c,
             GemmScratch<T>& scratch) {
    if (m == 0 || n == 0 || k == 0) return;
    constexpr auto transposed = [](int storage) {
        return storage == Eigen::RowMajor ? Eigen::ColMajor : Eigen::RowMajor;
    };
    Blocking<T> blocking(n, m, k, scratch);
    ei::general_matrix_matrix_product<Index, T, transposed(StorageB), false, T,
                                      transposed(StorageA), false, Eigen::ColMajor,
                                      1>::run(n, m, k, b, stride_b, a, stride_a, c.data,
                                              1, c.stride, T(1), blocking);
}

}  // namespace

template <class T>
void GemmScratch<T>::reserve_for(Index rows, Index cols, Index depth) {
    // Blocks of smaller products can be larger than those of this one, since totals are
    // cut into even parts: reserve what no block exceeds.
    using L = Limits<T>;
    const Index d = std::min(round_up(depth, 8), L::kDepth);
    panel_a(std::min(round_up(cols, L::kStepA) * d,
                     std::max(L::kElementsA, L::kStepA * d)));
    panel_b(std::min(round_up(rows, L::kStepB) * d,
                     std::max(L::kElementsB, L::kStepB * d)));
}

template <class T>
void gemm_nt(MatrixView<const T> x,
             MatrixView<const T> w,
             MatrixView<T> y,
             GemmScratch<T>& scratch) {
    product<T, Eigen::RowMajor, Eigen::ColMajor>(
        x.rows, w.rows, x.cols, x.data, x.stride, w.data, w.stride, y, scratch);
}

template <class T>
void gemm_nn(MatrixView<const T> dy,
             MatrixView<const T> w,
             MatrixView<T> dx,
             GemmScratch<T>& scratch) {
    product<T, Eigen::RowMajor, Eigen::RowMajor>(
        dy.rows, w.cols, dy.cols, dy.data, dy.stride, w.data, w.stride, dx, scratch);
}

template <class T>
void gemm_tn(MatrixView<const T> dy,
             MatrixView<const T> x,
             MatrixView<T> dw,
             GemmScratch<T>& scratch) {
    product<T, Eigen::ColMajor, Eigen::RowMajor>(
        dy.cols, x.cols, dy.rows, dy.data, dy.stride, x.data, x.stride, dw, scratch);
}

#define FASTNN_INSTANTIATE(T)                                                         \
    template class GemmScratch<T>;                                                    \
    template void gemm_nt<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                             GemmScratch<T>&);                                        \
    template void gemm_nn<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                             GemmScratch<T>&);                                        \
    template void gemm_tn<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                             GemmScratch<T>&);
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
