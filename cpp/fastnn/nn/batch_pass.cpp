#include "fastnn/nn/batch_pass.hpp"

#include <algorithm>

#include "fastnn/nn/custom_loss.hpp"

namespace fastnn {
namespace {

// Rows of a tile: tall enough that the weights a product reads from L2 are used often,
// low enough that there are tiles for several threads. Depends on the batch alone: sums
// over tiles then have the same bits for any number of threads.
Index tile_height(Index batch) {
    if (batch <= 128) return std::max<Index>(16, round_up(ceil_div(batch, 2), 16));
    return std::clamp<Index>(round_up(ceil_div(batch, 4), 16), 64, 128);
}

// A row that chance picks out of a large X lies in memory, where no earlier row leads
// the processor to it: all its cache lines are asked for at once.
template <class T>
void prefetch(const T* row, Index n) {
    constexpr Index kLine = static_cast<Index>(kAlignment / sizeof(T));
    for (Index j = 0; j < n; j += kLine) __builtin_prefetch(row + j);
}

template <class T, class Visit>
auto visit_layer(const Network<T>& network, Index layer, Visit&& visit) {
    return std::visit(visit, network.layers()[static_cast<std::size_t>(layer)]);
}

}  // namespace

Index row_tiles(Index batch) noexcept { return ceil_div(batch, tile_height(batch)); }

template <class T>
BatchPass<T>::BatchPass(const Network<T>& network,
                        const Loss& loss,
                        Index max_batch,
                        bool training,
                        const std::vector<Augment>& augment)
    : network_(network),
      weights_(network, training),
      loss_(loss),
      max_batch_(max_batch) {
    check_outputs(loss, network.out_features());
    pass_.batch = max_batch;
    pass_.tile_height = tile_height(max_batch);
    pass_.training = training;
    tile_loss_.resize(pass_.tiles());
    if (is_custom(loss)) row_loss_.resize(max_batch);
    if (!augment.empty()) {
        check_mixable(augment, loss);
        augmentation_.emplace(augment, max_batch, pass_.tiles(), network.in_features(),
                              target_width(loss, network.out_features()));
    }
    for (const Layer<T>& layer : network.layers()) {
        std::visit([&](const auto& l) { memory_.push_back(l.memory(pass_)); }, layer);
    }
    plan(training);
}

template <class T>
void BatchPass<T>::plan(bool training) {
    const auto n = static_cast<Index>(network_.layers().size());
    const auto needs_batch = [&](Index k) {
        return training && std::holds_alternative<BatchNorm<T>>(
                               network_.layers()[static_cast<std::size_t>(k)]);
    };
    const auto reaches_parameters = [&](Index k) {
        return network_.needs_input_gradient(k) ||
               visit_layer(network_, k,
                           [](const auto& l) { return l.has_parameters(); });
    };
    phases_ = {{{Action::kGather}}};
    for (Index k = 0; k < n; ++k) {
        if (needs_batch(k)) {
            phases_.back().push_back({Action::kStatistics, k});
            phases_.emplace_back();
        }
        phases_.back().push_back({Action::kForward, k});
    }
    if (is_custom(loss_)) {
        phases_.back().push_back({Action::kJudge});
        phases_.emplace_back();
    }
    phases_.back().push_back({Action::kLoss});
    for (Index k = n - 1; k >= 0 && reaches_parameters(k); --k) {
        if (std::holds_alternative<BatchNorm<T>>(
                network_.layers()[static_cast<std::size_t>(k)])) {
            phases_.back().push_back({Action::kBackwardSums, k});
            phases_.emplace_back();
        }
        phases_.back().push_back({Action::kBackward, k});
    }
}

template <class T>
void BatchPass<T>::begin(const Samples<T>& samples,
                         const Index* rows,
                         Index n,
                         std::uint64_t seed,
                         std::uint32_t step) {
    const bool dense_first = std::holds_alternative<Dense<T>>(network_.layers()[0]);
    sparse_ = {};
    if (samples.x.is_sparse() && dense_first && !augmentation_) {
        sparse_ = samples.x.sparse.choose(rows, n);
    } else if (x_.empty()) {
        x_ = Matrix<T>(max_batch_, network_.in_features());
    }
    samples_ = samples;
    rows_ = rows;
    pass_.batch = n;
    pass_.first_row = 0;
    pass_.seed = seed;
    pass_.step = step;
    total_weight_ = samples.total_weight(rows, n);
    if (augmentation_) {
        augmentation_->begin(samples, rows, n, seed, step);
        if (augmentation_->mixes()) total_weight_ = augmentation_->total_weight();
    }
    if (pass_.training) return;
    for (std::size_t k = 0; k < memory_.size(); ++k) {
        if (const auto* norm = std::get_if<BatchNorm<T>>(&network_.layers()[k])) {
            norm->merge_statistics(weights_.state(), pass_, memory_[k]);
        }
    }
}

template <class T>
void BatchPass<T>::begin_part(const Samples<T>& samples,
                              Range rows,
                              double total_weight,
                              std::uint64_t seed,
                              std::uint32_t step) {
    begin(samples.slice(rows), nullptr, rows.size(), seed, step);
    pass_.first_row = rows.begin;
    total_weight_ = total_weight;
}

template <class T>
void BatchPass<T>::run_tile(Index phase, Index tile) {
    const Tile t{tile, tile_range(tile, pass_.tile_height, pass_.batch)};
    for (const Step& step : phases_[static_cast<std::size_t>(phase)]) run(step, t);
}

template <class T>
void BatchPass<T>::run(const Step& step, const Tile& tile) {
    if (step.action == Action::kGather) {
        if (!reads_sparse()) gather(tile.rows);
        if (augmentation_) augmentation_->run(tile, x_.view(tile.rows));
        return;
    }
    if (step.action == Action::kJudge) return;
    if (step.action == Action::kLoss) return loss_of(tile);

    const Index k = step.layer;
    LayerMemory<T>& memory = memory_[static_cast<std::size_t>(k)];
    const State<T> state = weights_.state();
    const auto x = input_of(k, tile.rows);
    visit_layer(network_, k, [&]<class L>(const L& layer) {
        if (step.action == Action::kForward) {
            if constexpr (std::is_same_v<L, Dense<T>>) {
                if (k == 0 && reads_sparse()) {
                    const CsrView<T> rows = sparse_.row_slice(tile.rows);
                    return layer.forward(state, pass_, rows, memory, tile);
                }
            }
            layer.forward(state, pass_, x, memory, tile);
        } else if (step.action == Action::kBackward) {
            layer.backward(state, pass_, x, memory, input_gradient_of(k, tile.rows),
                           tile);
        } else if constexpr (std::is_same_v<L, BatchNorm<T>>) {
            if (step.action == Action::kStatistics) {
                layer.statistics_tile(x, memory, tile);
            } else {
                layer.backward_sums_tile(x, memory, tile);
            }
        }
    });
}

template <class T>
void BatchPass<T>::gather(Range rows) {
    constexpr Index kAhead = 2;
    if (samples_.x.is_sparse()) {
        const CsrView<T> batch = samples_.x.sparse.choose(rows_, pass_.batch);
        return write_out(batch.row_slice(rows), x_.view(rows));
    }
    const MatrixView<const T> x = samples_.x.dense;
    for (Index i = rows.begin; i < rows.end; ++i) {
        if (rows_ && i + kAhead < rows.end) prefetch(x.row(rows_[i + kAhead]), x.cols);
        std::copy_n(x.row(rows_ ? rows_[i] : i), x.cols, x_.row(i));
    }
}

template <class T>
void BatchPass<T>::loss_of(const Tile& tile) {
    // Chosen rows are looked up in the whole data set: targets need no gathering.
    LayerMemory<T>& last = memory_.back();
    if (augmentation_ && augmentation_->mixes()) {
        tile_loss_[tile.index] = loss_rows<T>(
            loss_, last.out.view(tile.rows), augmentation_->targets(tile.rows),
            augmentation_->weights(tile.rows), nullptr, total_weight_,
            last.grad.view(tile.rows));
        return;
    }
    const Index* rows = rows_ ? rows_ + tile.rows.begin : nullptr;
    const Samples<T> part = rows ? samples_ : samples_.slice(tile.rows);
    if (is_custom(loss_)) {
        tile_loss_[tile.index] =
            weigh_rows<T>(std::as_const(row_loss_).view().slice(tile.rows),
                          part.weights, rows, total_weight_, last.grad.view(tile.rows));
        return;
    }
    tile_loss_[tile.index] =
        loss_rows<T>(loss_, last.out.view(tile.rows), part.targets, part.weights, rows,
                     total_weight_, last.grad.view(tile.rows));
}

template <class T>
void BatchPass<T>::finish_phase(Index phase) {
    for (const Step& step : phases_[static_cast<std::size_t>(phase)]) {
        const auto k = static_cast<std::size_t>(step.layer);
        if (step.action == Action::kJudge) {
            const Range batch{0, pass_.batch};
            judge_rows<T>(samples_.targets, outputs(), rows_,
                          row_loss_.view().slice(batch),
                          memory_.back().grad.view(batch));
        } else if (step.action == Action::kLoss) {
            weighted_loss_ = 0;
            for (Index i = 0; i < tiles(); ++i) weighted_loss_ += tile_loss_[i];
        } else if (step.action == Action::kStatistics) {
            std::get<BatchNorm<T>>(network_.layers()[k])
                .merge_statistics(weights_.state(), pass_, memory_[k]);
        } else if (step.action == Action::kBackwardSums) {
            std::get<BatchNorm<T>>(network_.layers()[k])
                .merge_backward_sums(pass_, memory_[k]);
        }
    }
}

template <class T>
void BatchPass<T>::gradient(const ParameterTile& tile, const TileGradient<T>& d) const {
    const LayerMemory<T>& memory = memory_[static_cast<std::size_t>(tile.layer)];
    const State<T> state = weights_.state();
    visit_layer(network_, tile.layer, [&]<class L>(const L& layer) {
        if constexpr (std::is_same_v<L, Dense<T>>) {
            if (tile.layer == 0 && reads_sparse()) {
                return layer.gradient(state, pass_, sparse_, memory, tile, d);
            }
        }
        const MatrixView<const T> x = input_of(tile.layer, {0, pass_.batch});
        layer.gradient(state, pass_, x, memory, tile, d);
    });
}

template <class T>
void BatchPass<T>::update_running(Network<T>& network,
                                  std::optional<double> share) const {
    for (std::size_t k = 0; k < memory_.size(); ++k) {
        if (const auto* norm = std::get_if<BatchNorm<T>>(&network.layers()[k])) {
            norm->update_running(pass_, memory_[k], share, network.statistics().data(),
                                 network.counters().data());
        }
    }
}

// Each BatchNorm's statistics end a phase, and all of them come before the loss.
template <class T>
Index BatchPass<T>::statistics_phases() const noexcept {
    Index n = 0;
    for (const Layer<T>& layer : network_.layers()) {
        n += std::holds_alternative<BatchNorm<T>>(layer) ? 1 : 0;
    }
    return n;
}

template <class T>
MatrixView<const T> BatchPass<T>::input_of(Index layer, Range rows) const {
    if (layer == 0) return x_.view(rows);
    return memory_[static_cast<std::size_t>(layer - 1)].out.view(rows);
}

template <class T>
MatrixView<T> BatchPass<T>::input_gradient_of(Index layer, Range rows) {
    if (!network_.needs_input_gradient(layer)) return {};
    return memory_[static_cast<std::size_t>(layer - 1)].grad.view(rows);
}

template class BatchPass<float>;
template class BatchPass<double>;

}  // namespace fastnn
