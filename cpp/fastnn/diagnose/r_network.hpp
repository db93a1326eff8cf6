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
    MatrixView<const double> r_outputs(Range rows) const;
    MatrixView<double> slope(Range rows) { return memory_.back().grad.view(rows); }
    MatrixView<double> r_slope(Range rows) { return r_memory_.back().grad.view(rows); }

private:
    Index last() const noexcept { return static_cast<Index>(memory_.size()) - 1; }
    bool is_hessian() const noexcept { return kind_ == Curvature::kHessian; }
    const Activation& activation(Index layer) const noexcept {
        return activations_[static_cast<std::size_t>(layer)];
    }
    void plan();
    // Whether what comes from `source` depends on parameters.
    bool moves(Index source) const noexcept {
        return source != kFeatures && moves_[static_cast<std::size_t>(source)];
    }
    MatrixView<const double> output(Index source, Range rows) const;
    MatrixView<const double> r_output(Index source, Range rows) const;  // or empty: 0
    RRows rows_of(Index layer, Range rows) const;
    void forward_layer(Index layer, const Tile& tile);
    void activate_r_forward(Index layer, Range rows);
    void activate_r_backward(Index layer, Range rows);
    void backward_layer(Index layer, const Tile& tile);

    void backward_sum(const Add<double>& add, Index layer, const Tile& tile);
    // dL/dout of what comes from `source`, and R of it; empty if nobody asks.
    MatrixView<double> slope_of(Index source, Range rows);
    MatrixView<double> r_slope_of(Index source, Range rows);

    const Network<double>& network_;
    const State<double>& state_;
    const State<double>& direction_;
    Curvature kind_;
    Pass pass_;
    MatrixView<const double> x_;
    std::vector<Activation> activations_;
    std::vector<bool> moves_;  // of what comes from each layer
    std::vector<bool> adds_;   // whether each comes, backward, to slopes
                               // that another layer has written
    std::vector<LayerMemory<double>> memory_;  // of each layer
    std::vector<RMemory> r_memory_;            // of each layer
    Matrix<double> share_, r_share_;           // of a layer that adds to slopes
};

}  // namespace fastnn
