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
                        Gradients gradients,
                        const std::vector<Augment>& augment)
    : network_(network),
      weights_(network, training),
      loss_(loss),
      max_batch_(max_batch),
      frozen_(network.frozen()),
      rates_(network.layers().size()) {
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
        const bool wanted =
            gradients == Gradients::kAll || !frozen_[has_gradient_.size()];
        std::visit(
            [&](const auto& l) {
                memory_.push_back(l.memory(pass_));
                has_gradient_.push_back(wanted && l.has_parameters());
            },
            layer);
    }
    set_dropout([](double p) { return p; });
    plan();
}

// Whether what comes from `source` depends on parameters that have a gradient, so that
// gradients must reach it.
template <class T>
bool BatchPass<T>::reaches(Index source) const noexcept {
    return source != kFeatures && reached_[static_cast<std::size_t>(source)];
}

template <class T>
void BatchPass<T>::find_reached() {
    const Wiring& wiring = network_.wiring();
    for (Index k = 0; k < wiring.size(); ++k) {
        reached_.push_back(has_gradient(k) || reaches(wiring.input_of(k)) ||
                           (wiring.has_skip(k) && reaches(wiring.skip_of(k))));
    }
}

// Of the layers that read the same outputs the last comes first, backward: it writes
// their gradient, the others add to it. The branch of a block has one reader.
template <class T>
void BatchPass<T>::plan_backward(Index layer, std::vector<bool>& written) {
    const Wiring& wiring = network_.wiring();
    const Index shared =
        wiring.has_skip(layer) ? wiring.skip_of(layer) : wiring.input_of(layer);
    Step step{Action::kBackward, layer};
    if (reaches(shared)) {
        step.adds = written[static_cast<std::size_t>(shared)];
        written[static_cast<std::size_t>(shared)] = true;
    }
    if (step.adds && !wiring.has_skip(layer)) {
        const Index width =
            visit_layer(network_, shared, [](const auto& l) { return l.width(); });
        if (width > share_.cols()) share_ = Matrix<T>(max_batch_, width);
    }
    phases_.back().push_back(step);
}

template <class T>
Pass BatchPass<T>::pass_of(Index layer) const noexcept {
    const auto k = static_cast<std::size_t>(layer);
    Pass pass = pass_;
    pass.dropout_rate = rates_[k];
    if (std::holds_alternative<BatchNorm<T>>(network_.layers()[k])) {
        pass.training = takes_statistics(layer);
    }
    return pass;
}

// Whether it is a BatchNorm that normalises by the batch.
template <class T>
bool BatchPass<T>::takes_statistics(Index layer) const noexcept {
    const auto k = static_cast<std::size_t>(layer);
    return pass_.training && !frozen_[k] &&
           std::holds_alternative<BatchNorm<T>>(network_.layers()[k]);
}

template <class T>
void BatchPass<T>::plan() {
    const auto n = static_cast<Index>(network_.layers().size());
    find_reached();
    phases_ = {{{Action::kGather}}};
    for (Index k = 0; k < n; ++k) {
        if (takes_statistics(k)) {
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
    std::vector<bool> written(static_cast<std::size_t>(n));
    for (Index k = n - 1; k >= 0; --k) {
        if (!reaches(k)) continue;
        if (has_gradient(k) && std::holds_alternative<BatchNorm<T>>(
                                   network_.layers()[static_cast<std::size_t>(k)])) {
            phases_.back().push_back({Action::kBackwardSums, k});
            phases_.emplace_back();
        }
        plan_backward(k, written);
    }
}

template <class T>
void BatchPass<T>::begin(const Samples<T>& samples,
                         const Index* rows,
                         Index n,
                         std::uint64_t seed,
                         std::uint32_t step) {
    const bool dense_alone = std::holds_alternative<Dense<T>>(network_.layers()[0]) &&
                             network_.wiring().readers(kFeatures) == 1;
    sparse_ = {};
    if (samples.x.is_sparse() && dense_alone && !augmentation_) {
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
    for (std::size_t k = 0; k < memory_.size(); ++k) {
        const auto* norm = std::get_if<BatchNorm<T>>(&network_.layers()[k]);
        const Pass pass = pass_of(static_cast<Index>(k));
        if (norm && !pass.training) {
            norm->merge_statistics(weights_.state(), pass, memory_[k]);
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
    const Pass pass = pass_of(k);
    const auto x = input_of(k, tile.rows);
    visit_layer(network_, k, [&]<class L>(const L& layer) {
        if constexpr (std::is_same_v<L, Add<T>>) {
            run_add(layer, step, tile);
        } else if (step.action == Action::kForward) {
            if constexpr (std::is_same_v<L, Dense<T>>) {
                if (k == 0 && reads_sparse()) {
                    const CsrView<T> rows = sparse_.row_slice(tile.rows);
                    return layer.forward(state, pass, rows, memory, tile);
                }
            }
            layer.forward(state, pass, x, memory, tile);
        } else if (step.action == Action::kBackward) {
            if constexpr (std::is_same_v<L, BatchNorm<T>>) {
                // Nobody wanted its sums, which would have done that.
                if (!has_gradient(k)) {
                    activate_backward(layer.activation(), memory, tile.rows);
                }
            }
            const MatrixView<T> dx = input_gradient_of(step, tile.rows);
            layer.backward(state, pass, x, memory, dx, tile);
            if (step.adds) {
                add_rows<T>(dx, gradient_of(network_.wiring().input_of(k), tile.rows));
            }
        } else if constexpr (std::is_same_v<L, BatchNorm<T>>) {
            if (step.action == Action::kStatistics) {
                layer.statistics_tile(x, memory, tile);
            } else {
                layer.backward_sums_tile(x, memory, tile);
            }
        }
    });
}

// The one layer with two inputs.
template <class T>
void BatchPass<T>::run_add(const Add<T>& add, const Step& step, const Tile& tile) {
    const Wiring& wiring = network_.wiring();
    const Index k = step.layer, skip = wiring.skip_of(k);
    LayerMemory<T>& memory = memory_[static_cast<std::size_t>(k)];
    if (step.action == Action::kForward) {
        add.forward(pass_, output_of(skip, tile.rows), input_of(k, tile.rows), memory,
                    tile);
        return;
    }
    add.backward(pass_, memory, gradient_of(wiring.input_of(k), tile.rows), tile);
    const MatrixView<T> dskip = gradient_of(skip, tile.rows);
    if (!dskip.data) return;
    const MatrixView<const T> dy = memory.grad.view(tile.rows);
    if (step.adds) return add_rows<T>(dy, dskip);
    copy_rows<T>(dy, dskip);
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
        const auto* norm = std::get_if<BatchNorm<T>>(&network.layers()[k]);
        if (norm && !frozen_[k]) {
            norm->update_running(pass_, memory_[k], share, network.statistics().data(),
                                 network.counters().data());
        }
    }
}

// Each BatchNorm's statistics end a phase, and all of them come before the loss.
template <class T>
Index BatchPass<T>::statistics_phases() const noexcept {
    Index n = 0;
    for (std::size_t k = 0; k < memory_.size(); ++k) {
        n += takes_statistics(static_cast<Index>(k)) ? 1 : 0;
    }
    return n;
}

template <class T>
MatrixView<const T> BatchPass<T>::output_of(Index source, Range rows) const {
    if (source == kFeatures) return x_.view(rows);
    return memory_[static_cast<std::size_t>(source)].out.view(rows);
}

template <class T>
MatrixView<const T> BatchPass<T>::input_of(Index layer, Range rows) const {
    return output_of(network_.wiring().input_of(layer), rows);
}

template <class T>
MatrixView<T> BatchPass<T>::gradient_of(Index source, Range rows) {
    if (!reaches(source)) return {};
    return memory_[static_cast<std::size_t>(source)].grad.view(rows);
}

template <class T>
MatrixView<T> BatchPass<T>::input_gradient_of(const Step& step, Range rows) {
    const MatrixView<T> whole =
        gradient_of(network_.wiring().input_of(step.layer), rows);
    if (!step.adds) return whole;
    return share_.view(rows).col_slice({0, whole.cols});
}

template class BatchPass<float>;
template class BatchPass<double>;

}  // namespace fastnn
