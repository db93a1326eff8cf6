// Outputs of a network in inference mode, tile by tile.
#pragma once

#include <vector>

#include "fastnn/nn/features.hpp"
#include "fastnn/nn/packed_weights.hpp"

namespace fastnn {

// Buffers of one thread for passing tiles of rows through a network.
template <class T>
class InferenceWorkspace {
public:
    // Rows handled at a time. A row's outputs have the same bits in any tile.
    static constexpr Index kTileHeight = 64;

    // For tiles of at most `rows` <= kTileHeight rows.
    explicit InferenceWorkspace(const Network<T>& network, Index rows = kTileHeight);

    // Outputs (rows, width) of `depth` for a tile x. The last layer writes them to y,
    // or, if y is empty, to a buffer that is valid until the next call.
    MatrixView<const T> run(const Network<T>& network,
                            const State<T>& state,
                            typename Network<T>::Depth depth,
                            const Features<T>& x,
                            MatrixView<T> y = {});

private:
    MatrixView<T> buffer(Index which, Index rows, Index cols) noexcept {
        return {buffers_.data() + which * size_, rows, cols, padded_stride<T>(cols)};
    }
    // What layer `source`, or the features, left for those that read it.
    MatrixView<const T> output_of(const Network<T>& network,
                                  Index source,
                                  const Features<T>& x) noexcept;

    Index size_ = 0;     // of one buffer: a tile of the widest layer
    Buffer<T> buffers_;  // as many as the network's inference plan names
};

// What makes probabilities of outputs.
enum class Link { kNone, kSoftmax, kSigmoid };

// Multiplications and additions of a pass over so many rows, and what else an element
// of a layer takes, in the time of so many operations.
template <class T>
double inference_work(const Network<T>& network, const Features<T>& x) noexcept {
    constexpr double kElement = 16;
    const auto rows = static_cast<double>(x.rows);
    const auto inputs = static_cast<double>(x.cols) * rows;
    double elements = inputs + static_cast<double>(network.row_elements()) * rows;
    double weights = static_cast<double>(network.parameters().size()) * rows;
    const auto* first = std::get_if<Dense<T>>(&network.layers()[0]);
    if (x.is_sparse() && first && network.wiring().readers(kFeatures) == 1) {
        const double zeros = inputs - static_cast<double>(x.sparse.nonzeros().size);
        elements -= zeros;
        weights -= zeros * static_cast<double>(first->width());
    }
    return 2.0 * weights + kElement * elements;
}

// y = link(outputs of `depth` for the rows of x), on at most n_threads threads (0:
// automatic), one where the work is small. False if x holds NaN or infinity: y is
// meaningless then.
template <class T>
bool infer(const Network<T>& network,
           typename Network<T>::Depth depth,
           Link link,
           const Features<T>& x,  // (n, in), contiguous
           MatrixView<T> y,       // (n, width of depth), contiguous
           int n_threads);

}  // namespace fastnn
