// The R-operator through a network, for some rows at a time: sweeps over the memory
// that their layers share.
#pragma once

#include <vector>

#include "fastnn/diagnose/curvature_product.hpp"
#include "fastnn/diagnose/r_layer.hpp"

namespace fastnn {

class RNetwork {
public:
    // For chunks of up to `rows` rows; `state` and `direction` outlive this.
    RNetwork(const Network<double>& network,
             const State<double>& state,
             const State<double>& direction,
             Curvature kind,
             Index rows,
             Index tile_height);

    Index tiles() const noexcept { return pass_.tiles(); }
    Tile tile(Index i) const noexcept {
        return {i, tile_range(i, pass_.tile_height, pass_.batch)};
    }
    Range rows() const noexcept { return {0, pass_.batch}; }

    // The rows to come, dense.
    void begin(MatrixView<const double> x);
    // Outputs and R{outputs}.
    void forward(const Tile& tile);
    // From dL/dout (unless this is Gauss-Newton) and R{dL/dout} to all layers.
    void backward(const Tile& tile);
    // out += R{dL/dw} of one slice, over all rows.
    void gradient(const ParameterTile& tile, double* out) const;

    MatrixView<const double> outputs(Range rows) const {
        return memory_.back().out.view(rows);
    }
    MatrixView<const double> r_outputs(Range rows) const { return r_out(last(), rows); }
    MatrixView<double> slope(Range rows) { return memory_.back().grad.view(rows); }
    MatrixView<double> r_slope(Range rows) { return r_memory_.back().grad.view(rows); }

private:
    Index last() const noexcept { return static_cast<Index>(memory_.size()) - 1; }
    bool is_hessian() const noexcept { return kind_ == Curvature::kHessian; }
    const Activation& activation(Index layer) const noexcept {
        return activations_[static_cast<std::size_t>(layer)];
    }
    // Whether what layer `layer` reads depends on parameters.
    bool inputs_move(Index layer) const noexcept { return layer > first_; }
    MatrixView<const double> input(Index layer, Range rows) const;
    MatrixView<const double> r_input(Index layer, Range rows) const;
    MatrixView<const double> r_out(Index layer, Range rows) const;
    MatrixView<double> input_slope(Index layer, Range rows);
    RRows rows_of(Index layer, Range rows) const;
    void forward_layer(Index layer, const Tile& tile);
    void backward_layer(Index layer, const Tile& tile);

    const Network<double>& network_;
    const State<double>& state_;
    const State<double>& direction_;
    Curvature kind_;
    Pass pass_;
    MatrixView<const double> x_;
    Index first_ = 0;  // layer that has parameters
    std::vector<Activation> activations_;
    std::vector<LayerMemory<double>> memory_;  // of each layer
    std::vector<RMemory> r_memory_;            // of each layer
};

}  // namespace fastnn
