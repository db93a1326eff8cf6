// Outputs of a network in inference mode, tile by tile.
#pragma once

#include <vector>

#include "fastnn/nn/packed_weights.hpp"

namespace fastnn {

// Buffers of one thread for passing tiles of rows through a network.
template <class T>
class InferenceWorkspace {
public:
    // Rows handled at a time. A row's outputs have the same bits in any tile.
    static constexpr Index kTileHeight = 64;

    explicit InferenceWorkspace(const Network<T>& network);

    // Outputs (rows, width) of `depth` for at most kTileHeight rows of x; the view is
    // valid until the next call.
    MatrixView<const T> run(const Network<T>& network,
                            const State<T>& state,
                            typename Network<T>::Depth depth,
                            MatrixView<const T> x);

private:
    Matrix<T> buffers_[2];  // (kTileHeight, widest layer)
};

// y = outputs of `depth` for the rows of x, on n_threads threads.
template <class T>
void infer(const Network<T>& network,
           typename Network<T>::Depth depth,
           MatrixView<const T> x,  // (n, in)
           MatrixView<T> y,        // (n, width of depth)
           int n_threads);

}  // namespace fastnn
