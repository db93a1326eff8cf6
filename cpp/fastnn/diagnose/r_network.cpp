#include "fastnn/diagnose/r_network.hpp"

#include "fastnn/diagnose/activation_curvature.hpp"
#include "fastnn/diagnose/r_batchnorm.hpp"
#include "fastnn/diagnose/r_dense.hpp"
#include "fastnn/diagnose/r_elementwise.hpp"
#include "fastnn/diagnose/r_layernorm.hpp"
#include "fastnn/diagnose/r_maxout.hpp"
#include "fastnn/diagnose/r_prelu.hpp"
#include "fastnn/diagnose/r_rmsnorm.hpp"

namespace fastnn {
namespace {

template <class L>
concept HasROperator = requires(const L& layer,
                                const RRows& at,
                                MatrixView<double> to,
                                const ParameterTile& tile,
                                double* out) {
    r_forward(layer, at, to);
    r_backward(layer, at, to);
    r_gradient(layer, at, tile, out);
};

template <class Visit>
auto visit_layer(const Network<double>& network, Index layer, Visit&& visit) {
    return std::visit(visit, network.layers()[static_cast<std::size_t>(layer)]);
}

// R{skip + branch}; either may be empty: 0.
void r_forward_sum(MatrixView<const double> skip,
                   MatrixView<const double> branch,
                   MatrixView<double> rz) {
    for (Index i = 0; i < rz.rows; ++i) std::fill_n(rz.row(i), rz.cols, 0.0);
    if (skip.data) add_rows<double>(skip, rz);
    if (branch.data) add_rows<double>(branch, rz);
}

// Lets write(to) write a slope, or if the layer `adds`, its share of one.
template <class Write>
void give(MatrixView<double> to,
          bool adds,
          Matrix<double>& share,
          Range rows,
          const Write& write) {
    if (!adds) return write(to);
    const MatrixView<double> part = share.view(rows).col_slice({0, to.cols});
    write(part);
    add_rows<double>(part, to);
}

// What is computed of a layer without an R-operator would be wrong.
void require_r_operator(const Network<double>& network, Index layer) {
    visit_layer(network, layer, [&]<class L>(const L&) {
        if constexpr (!HasROperator<L> && !std::is_same_v<L, Add<double>>) {
            throw std::invalid_argument(
                "layer " + std::to_string(layer) +
                " of the network (an activation counted with the layer before it) is "
                "of a kind whose curvature is not known: take it out");
        }
    });
}

}  // namespace

RNetwork::RNetwork(const Network<double>& network,
                   const State<double>& state,
                   const State<double>& direction,
                   Curvature kind,
                   Index rows,
                   Index tile_height)
    : network_(network), state_(state), direction_(direction), kind_(kind) {
    pass_.batch = rows;
    pass_.tile_height = tile_height;
    pass_.training = false;
    for (Index k = 0; k < network.wiring().size(); ++k) {
        require_r_operator(network, k);
        visit_layer(network, k, [&](const auto& layer) {
            const Activation f = layer.activation();
            activations_.push_back(f);
            memory_.push_back(layer.memory(pass_));
            RMemory r{Matrix<double>(rows, layer.width()),
                      {},
                      Matrix<double>(rows, layer.width())};
            if (!is_identity(f)) r.out = Matrix<double>(rows, layer.width());
            r_memory_.push_back(std::move(r));
        });
    }
    plan();
}

// Backward, the last of the layers that read the same outputs comes first and writes
// their slope; the others add to it. The branch of a residual block has one reader.
void RNetwork::plan() {
    const Wiring& wiring = network_.wiring();
    const Index n = wiring.size();
    for (Index k = 0; k < n; ++k) {
        const bool own = visit_layer(
            network_, k, [](const auto& layer) { return layer.has_parameters(); });
        moves_.push_back(own || moves(wiring.input_of(k)) ||
                         (wiring.has_skip(k) && moves(wiring.skip_of(k))));
    }
    adds_.resize(static_cast<std::size_t>(n));
    std::vector<bool> written(static_cast<std::size_t>(n));
    Index widest = 0;
    for (Index k = n - 1; k >= 0; --k) {
        const Index shared =
            wiring.has_skip(k) ? wiring.skip_of(k) : wiring.input_of(k);
        if (!moves(shared)) continue;
        const auto source = static_cast<std::size_t>(shared);
        adds_[static_cast<std::size_t>(k)] = written[source];
        if (written[source]) widest = std::max(widest, memory_[source].out.cols());
        written[source] = true;
    }
    if (widest == 0) return;
    share_ = Matrix<double>(pass_.batch, widest);
    r_share_ = Matrix<double>(pass_.batch, widest);
}

void RNetwork::begin(MatrixView<const double> x) {
    x_ = x;
    pass_.batch = x.rows;
    for (std::size_t k = 0; k < memory_.size(); ++k) {
        if (const auto* norm = std::get_if<BatchNorm<double>>(&network_.layers()[k])) {
            norm->merge_statistics(state_, pass_, memory_[k]);
        }
    }
}

void RNetwork::forward(const Tile& tile) {
    for (Index k = 0; k <= last(); ++k) forward_layer(k, tile);
}

void RNetwork::backward(const Tile& tile) {
    for (Index k = last(); k >= 0; --k) {
        if (moves(k)) backward_layer(k, tile);
    }
}

void RNetwork::forward_layer(Index k, const Tile& tile) {
    const auto i = static_cast<std::size_t>(k);
    const Range rows = tile.rows;
    const Wiring& wiring = network_.wiring();
    const MatrixView<double> rz = r_memory_[i].z.view(rows);
    visit_layer(network_, k, [&]<class L>(const L& layer) {
        const MatrixView<const double> x = output(wiring.input_of(k), rows);
        if constexpr (std::is_same_v<L, Add<double>>) {
            const Index skip = wiring.skip_of(k);
            layer.forward(pass_, output(skip, rows), x, memory_[i], tile);
            r_forward_sum(r_output(skip, rows), r_output(wiring.input_of(k), rows), rz);
        } else {
            layer.forward(state_, pass_, x, memory_[i], tile);
            if constexpr (HasROperator<L>) r_forward(layer, rows_of(k, rows), rz);
        }
    });
    activate_r_forward(k, rows);
}

void RNetwork::activate_r_forward(Index k, Range rows) {
    const auto i = static_cast<std::size_t>(k);
    const Activation& f = activation(k);
    if (is_identity(f)) return;
    const MatrixView<const double> s = pre_activation(f, memory_[i], rows);
    const MatrixView<const double> rz = r_memory_[i].z.view(rows);
    activation_r_forward(f, flat(s), flat(rz), flat(r_memory_[i].out.view(rows)));
}

// From R{dL/dout} to R{dL/dz}, while the memory's slope is still dL/dout.
void RNetwork::activate_r_backward(Index k, Range rows) {
    const auto i = static_cast<std::size_t>(k);
    const Activation& f = activation(k);
    if (is_identity(f)) return;
    const MatrixView<const double> s = pre_activation(f, memory_[i], rows);
    const VectorView<double> rdz = flat(r_memory_[i].grad.view(rows));
    if (!is_hessian()) return activation_backward<double>(f, rdz, flat(s), rdz);
    const MatrixView<const double> dy = memory_[i].grad.view(rows);
    const MatrixView<const double> rz = r_memory_[i].z.view(rows);
    activation_r_backward(f, flat(s), flat(rz), flat(dy), rdz, rdz);
}

void RNetwork::backward_layer(Index k, const Tile& tile) {
    const auto i = static_cast<std::size_t>(k);
    const Range rows = tile.rows;
    const Index source = network_.wiring().input_of(k);
    activate_r_backward(k, rows);
    visit_layer(network_, k, [&]<class L>(const L& layer) {
        if constexpr (std::is_same_v<L, Add<double>>) {
            backward_sum(layer, k, tile);
        } else {
            if constexpr (std::is_same_v<L, BatchNorm<double>>) {
                // Its backward pass leaves that to its sums, which nobody wants here.
                if (is_hessian()) activate_backward(activation(k), memory_[i], rows);
            }
            const MatrixView<const double> x = output(source, rows);
            if (is_hessian()) {
                give(slope_of(source, rows), adds_[i], share_, rows, [&](auto dx) {
                    layer.backward(state_, pass_, x, memory_[i], dx, tile);
                });
            }
            if constexpr (HasROperator<L>) {
                if (!moves(source)) return;
                give(r_slope_of(source, rows), adds_[i], r_share_, rows,
                     [&](auto rdx) { r_backward(layer, rows_of(k, rows), rdx); });
            }
        }
    });
}

// The one layer with two inputs: both get what it got.
void RNetwork::backward_sum(const Add<double>& add, Index k, const Tile& tile) {
    const auto i = static_cast<std::size_t>(k);
    const Range rows = tile.rows;
    const Index branch = network_.wiring().input_of(k);
    const Index skip = network_.wiring().skip_of(k);
    const MatrixView<const double> dz = memory_[i].grad.view(rows);
    const MatrixView<const double> rdz = r_memory_[i].grad.view(rows);
    if (is_hessian()) add.backward(pass_, memory_[i], slope_of(branch, rows), tile);
    if (moves(branch)) copy_rows<double>(rdz, r_slope_of(branch, rows));
    if (!moves(skip)) return;
    if (is_hessian()) {
        give(slope_of(skip, rows), adds_[i], share_, rows,
             [&](auto to) { copy_rows<double>(dz, to); });
    }
    give(r_slope_of(skip, rows), adds_[i], r_share_, rows,
         [&](auto to) { copy_rows<double>(rdz, to); });
}

void RNetwork::gradient(const ParameterTile& tile, double* out) const {
    visit_layer(network_, tile.layer, [&]<class L>(const L& layer) {
        if constexpr (HasROperator<L>) {
            r_gradient(layer, rows_of(tile.layer, rows()), tile, out);
        }
    });
}

RRows RNetwork::rows_of(Index k, Range rows) const {
    const auto i = static_cast<std::size_t>(k);
    const Index source = network_.wiring().input_of(k);
    MatrixView<const double> dz;
    if (is_hessian()) dz = memory_[i].grad.view(rows);
    return {state_,
            direction_,
            memory_[i],
            rows,
            output(source, rows),
            r_output(source, rows),
            dz,
            r_memory_[i].grad.view(rows)};
}

MatrixView<const double> RNetwork::output(Index source, Range rows) const {
    if (source == kFeatures) return x_.row_slice(rows);
    return memory_[static_cast<std::size_t>(source)].out.view(rows);
}

MatrixView<const double> RNetwork::r_output(Index source, Range rows) const {
    if (!moves(source)) return {};
    const RMemory& r = r_memory_[static_cast<std::size_t>(source)];
    return (is_identity(activation(source)) ? r.z : r.out).view(rows);
}

MatrixView<const double> RNetwork::r_outputs(Range rows) const {
    const RMemory& r = r_memory_.back();
    return (is_identity(activation(last())) ? r.z : r.out).view(rows);
}

MatrixView<double> RNetwork::slope_of(Index source, Range rows) {
    if (!moves(source)) return {};
    return memory_[static_cast<std::size_t>(source)].grad.view(rows);
}

MatrixView<double> RNetwork::r_slope_of(Index source, Range rows) {
    if (!moves(source)) return {};
    return r_memory_[static_cast<std::size_t>(source)].grad.view(rows);
}

}  // namespace fastnn
