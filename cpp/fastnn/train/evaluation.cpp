#include "fastnn/train/evaluation.hpp"

#include "fastnn/nn/custom_loss.hpp"

namespace fastnn {

template <class T>
Evaluation<T>::Evaluation(const Network<T>& network,
                          const PackedWeights<T>& weights,
                          const Loss& loss,
                          std::vector<Metric> metrics,
                          const Samples<T>& samples,
                          int n_threads)
    : network_(network),
      weights_(weights),
      loss_(loss),
      metrics_(std::move(metrics)),
      samples_(samples),
      total_weight_(samples.total_weight(nullptr, samples.size())) {
    check_outputs(loss, network.out_features());
    for (int rank = 0; rank < n_threads; ++rank) workspaces_.emplace_back(network);
    tile_loss_.resize(tiles());
    if (!metrics_.empty() || is_custom(loss)) {
        outputs_ = Matrix<T>(samples.size(), network.out_features());
    }
}

template <class T>
Index Evaluation<T>::tiles() const noexcept {
    return ceil_div(samples_.size(), InferenceWorkspace<T>::kTileHeight);
}

template <class T>
void Evaluation<T>::run(Index tile, int rank) {
    const Range rows =
        tile_range(tile, InferenceWorkspace<T>::kTileHeight, samples_.size());
    const MatrixView<const T> z = workspaces_[static_cast<std::size_t>(rank)].run(
        network_, weights_.state(), network_.whole(), samples_.x.row_slice(rows));
    const Samples<T> part = samples_.slice(rows);
    if (!outputs_.empty()) copy_rows<T>(z, outputs_.view(rows));
    if (is_custom(loss_)) return;
    tile_loss_[tile] =
        loss_rows<T>(loss_, z, part.targets, part.weights, nullptr, total_weight_, {});
}

template <class T>
double Evaluation<T>::loss() const {
    if (is_custom(loss_)) return custom_loss();
    double total = 0;
    for (Index i = 0; i < tiles(); ++i) total += tile_loss_[i];
    return total / total_weight_;
}

template <class T>
double Evaluation<T>::custom_loss() const {
    const Range all{0, samples_.size()};
    Buffer<double> losses(all.size());
    judge_rows<T>(samples_.targets, outputs_.view(all), nullptr, losses.view(), {});
    return weigh_rows<T>(losses.view(), samples_.weights, nullptr, total_weight_, {}) /
           total_weight_;
}

template <class T>
std::vector<double> Evaluation<T>::metrics(
    const std::function<bool()>& interrupted) const {
    std::vector<double> values;
    for (const Metric metric : metrics_) {
        values.push_back(evaluate_metric<T>(metric, loss_,
                                            outputs_.view({0, samples_.size()}),
                                            samples_, nullptr, interrupted));
    }
    return values;
}

template class Evaluation<float>;
template class Evaluation<double>;

}  // namespace fastnn
