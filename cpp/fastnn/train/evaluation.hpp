// Loss and metrics of a data set in inference mode, as a stage of tiles.
#pragma once

#include <vector>

#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/nn/inference.hpp"
#include "fastnn/train/metrics.hpp"

namespace fastnn {

template <class T>
class Evaluation {
public:
    // Keeps views of the network, its packed weights and the samples; allocates for
    // n_threads ranks.
    Evaluation(const Network<T>& network,
               const PackedWeights<T>& weights,
               const Loss& loss,
               std::vector<Metric> metrics,
               const Samples<T>& samples,
               int n_threads);

    Index tiles() const noexcept;
    void run(Index tile, int rank);
    // After all tiles, on the calling thread: the mean loss, then the metrics in their
    // order, meaningless once `interrupted` was true.
    double loss() const;
    std::vector<double> metrics(const std::function<bool()>& interrupted = {}) const;

private:
    double custom_loss() const;

    const Network<T>& network_;
    const PackedWeights<T>& weights_;
    const Loss& loss_;
    std::vector<Metric> metrics_;
    Samples<T> samples_;
    double total_weight_;
    std::vector<InferenceWorkspace<T>> workspaces_;
    Buffer<double> tile_loss_;
    Matrix<T> outputs_;  // (n, out), only when metrics or a custom loss need them
};

}  // namespace fastnn
