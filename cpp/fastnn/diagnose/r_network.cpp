#include "fastnn/diagnose/r_network.hpp"

#include "fastnn/diagnose/activation_curvature.hpp"
#include "fastnn/diagnose/r_batchnorm.hpp"
#include "fastnn/diagnose/r_dense.hpp"
#include "fastnn/diagnose/r_elementwise.hpp"
#include "fastnn/diagnose/r_layernorm.hpp"

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

// What is computed of a layer without an R-operator would be wrong.
void require_r_operator(const Network<double>& network, Index layer) {
    visit_layer(network, layer, [&]<class L>(const L&) {
        if constexpr (!HasROperator<L>) {
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
    const auto n = static_cast<Index>(network.layers().size());
    first_ = n;
    for (Index k = 0; k < n; ++k) {
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
            if (layer.has_parameters()) first_ = std::min(first_, k);
        });
    }
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
    for (Index k = last(); k >= first_; --k) backward_layer(k, tile);
}

void RNetwork::forward_layer(Index k, const Tile& tile) {
    const auto i = static_cast<std::size_t>(k);
    const Activation& f = activation(k);
    const MatrixView<double> rz = r_memory_[i].z.view(tile.rows);
    visit_layer(network_, k, [&]<class L>(const L& layer) {
        layer.forward(state_, pass_, input(k, tile.rows), memory_[i], tile);
        if constexpr (HasROperator<L>) r_forward(layer, rows_of(k, tile.rows), rz);
    });
    if (is_identity(f)) return;
    const MatrixView<const double> s = pre_activation(f, memory_[i], tile.rows);
    activation_r_forward(f, flat(s), flat<const double>(rz),
                         flat(r_memory_[i].out.view(tile.rows)));
}

void RNetwork::backward_layer(Index k, const Tile& tile) {
    const auto i = static_cast<std::size_t>(k);
    const Range rows = tile.rows;
    const Activation& f = activation(k);
    LayerMemory<double>& memory = memory_[i];
    const VectorView<double> rdz = flat(r_memory_[i].grad.view(rows));
    if (!is_identity(f)) {
        const MatrixView<const double> s = pre_activation(f, memory, rows);
        const MatrixView<const double> dy = memory.grad.view(rows);
        const MatrixView<const double> rz = r_memory_[i].z.view(rows);
        if (is_hessian()) {
            activation_r_backward(f, flat(s), flat(rz), flat(dy), rdz, rdz);
        } else {
            activation_backward<double>(f, rdz, flat(s), rdz);
        }
    }
    visit_layer(network_, k, [&]<class L>(const L& layer) {
        if (is_hessian()) {
            const MatrixView<const double> x = input(k, rows);
            if constexpr (std::is_same_v<L, BatchNorm<double>>) {
                layer.backward_sums_tile(x, memory, tile);
            }
            layer.backward(state_, pass_, x, memory, input_slope(k, rows), tile);
        }
        if constexpr (HasROperator<L>) {
            if (!inputs_move(k)) return;
            r_backward(layer, rows_of(k, rows), r_memory_[i - 1].grad.view(rows));
        }
    });
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
    MatrixView<const double> dz;
    if (is_hessian()) dz = memory_[i].grad.view(rows);
    return {state_,         direction_,       memory_[i], rows,
            input(k, rows), r_input(k, rows), dz,         r_memory_[i].grad.view(rows)};
}

MatrixView<const double> RNetwork::input(Index k, Range rows) const {
    if (k == 0) return x_.row_slice(rows);
    return memory_[static_cast<std::size_t>(k - 1)].out.view(rows);
}

MatrixView<const double> RNetwork::r_input(Index k, Range rows) const {
    if (!inputs_move(k)) return {};
    return r_out(k - 1, rows);
}

MatrixView<const double> RNetwork::r_out(Index k, Range rows) const {
    const RMemory& r = r_memory_[static_cast<std::size_t>(k)];
    return (is_identity(activation(k)) ? r.z : r.out).view(rows);
}

MatrixView<double> RNetwork::input_slope(Index k, Range rows) {
    if (!inputs_move(k)) return {};
    return memory_[static_cast<std::size_t>(k - 1)].grad.view(rows);
}

}  // namespace fastnn
