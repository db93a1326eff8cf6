#include "fastnn/nn/gradients.hpp"

#include "fastnn/core/threads.hpp"

namespace fastnn {

template <class T>
double loss_and_gradients(const Network<T>& network,
                          const Loss& loss,
                          const Samples<T>& samples,
                          bool training,
                          const Penalty& penalty,
                          int n_threads,
                          T* gradients) {
    const auto step = static_cast<std::uint32_t>(network.progress().steps);
    const auto& tiles = network.parameter_tiles();
    BatchPass<T> pass(network, loss, samples.size(), training, Gradients::kAll);
    pass.weights().pack_all(n_threads);
    if (pass.weights().masked()) {
        parallel_for(n_threads, static_cast<Index>(tiles.size()), [&](Index i, int) {
            const ParameterTile& tile = tiles[static_cast<std::size_t>(i)];
            pass.weights().mask(tile, network.seed(), step);
        });
    }
    pass.begin(samples, nullptr, samples.size(), network.seed(), step);
    for (Index phase = 0; phase < pass.phases(); ++phase) {
        parallel_for(n_threads, pass.tiles(),
                     [&](Index tile, int) { pass.run_tile(phase, tile); });
        pass.finish_phase(phase);
    }
    const T* parameters = network.parameters().data();
    parallel_for(n_threads, static_cast<Index>(tiles.size()), [&](Index i, int) {
        const ParameterTile& tile = tiles[static_cast<std::size_t>(i)];
        const auto d = TileGradient<T>::among(gradients, tile);
        pass.gradient(tile, d);
        add_penalty_gradient<T>(penalty, parameters, tile, d);
    });
    double value = pass.weighted_loss() / pass.total_weight();
    for (const ParameterTile& tile : tiles) {
        value += penalty_value<T>(penalty, parameters, tile);
    }
    return value;
}

template double loss_and_gradients<float>(const Network<float>&,
                                          const Loss&,
                                          const Samples<float>&,
                                          bool,
                                          const Penalty&,
                                          int,
                                          float*);
template double loss_and_gradients<double>(const Network<double>&,
                                           const Loss&,
                                           const Samples<double>&,
                                           bool,
                                           const Penalty&,
                                           int,
                                           double*);

}  // namespace fastnn
