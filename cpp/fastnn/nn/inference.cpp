#include "fastnn/nn/inference.hpp"

#include <algorithm>

#include "fastnn/core/threads.hpp"

namespace fastnn {
namespace {

template <class T>
Index widest(const Network<T>& network) {
    const auto& widths = network.widths();
    return std::max(network.in_features(),
                    *std::max_element(widths.begin(), widths.end()));
}

template <class T>
const Activation& own_activation(const Layer<T>& layer) {
    static const Activation identity = activation::Identity{};
    return std::visit(
        [&]<class L>(const L& l) -> const Activation& {
            if constexpr (std::is_same_v<L, Dropout<T>>) {
                return identity;
            } else {
                return l.activation();
            }
        },
        layer);
}

}  // namespace

template <class T>
InferenceWorkspace<T>::InferenceWorkspace(const Network<T>& network)
    : buffers_{Matrix<T>(kTileHeight, widest(network)),
               Matrix<T>(kTileHeight, widest(network))} {}

template <class T>
MatrixView<const T> InferenceWorkspace<T>::run(const Network<T>& network,
                                               const State<T>& state,
                                               typename Network<T>::Depth depth,
                                               MatrixView<const T> x) {
    static const Activation identity = activation::Identity{};
    const Index rows = x.rows;
    MatrixView<const T> current = x;
    int next = 0;
    for (Index k = 0; k < depth.layers; ++k) {
        const Layer<T>& layer = network.layers()[static_cast<std::size_t>(k)];
        if (std::holds_alternative<Dropout<T>>(layer)) continue;
        const bool activate = k + 1 < depth.layers || depth.last_activation;
        const Activation& f = activate ? own_activation(layer) : identity;
        std::visit(
            [&](const auto& l) {
                const MatrixView<T> y =
                    buffers_[next].view({0, rows}).col_slice({0, l.width()});
                l.infer(state, f, current, y);
                current = y;
            },
            layer);
        next = 1 - next;
    }
    return current;
}

template <class T>
void infer(const Network<T>& network,
           typename Network<T>::Depth depth,
           MatrixView<const T> x,
           MatrixView<T> y,
           int n_threads) {
    constexpr Index height = InferenceWorkspace<T>::kTileHeight;
    const Index tiles = ceil_div(x.rows, height);
    const int threads =
        static_cast<int>(std::min<Index>(n_threads, std::max<Index>(tiles, 1)));
    std::vector<InferenceWorkspace<T>> workspaces;
    for (int rank = 0; rank < threads; ++rank) workspaces.emplace_back(network);
    PackedWeights<T> weights(network);
    weights.pack_all(threads);
    const State<T> state = weights.state();
    parallel_for(threads, tiles, [&](Index tile, int rank) {
        const Range rows = tile_range(tile, height, x.rows);
        auto& workspace = workspaces[static_cast<std::size_t>(rank)];
        copy_rows<T>(workspace.run(network, state, depth, x.row_slice(rows)),
                     y.row_slice(rows));
    });
}

template class InferenceWorkspace<float>;
template class InferenceWorkspace<double>;
template void infer<float>(const Network<float>&,
                           Network<float>::Depth,
                           MatrixView<const float>,
                           MatrixView<float>,
                           int);
template void infer<double>(const Network<double>&,
                            Network<double>::Depth,
                            MatrixView<const double>,
                            MatrixView<double>,
                            int);

}  // namespace fastnn
