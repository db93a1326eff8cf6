#include "fastnn/diagnose/curvature_product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fastnn/core/threads.hpp"
#include "fastnn/diagnose/loss_curvature.hpp"
#include "fastnn/diagnose/penalty_curvature.hpp"
#include "fastnn/diagnose/r_dense.hpp"
#include "fastnn/diagnose/r_network.hpp"
#include "fastnn/kernels/vectors.hpp"
#include "fastnn/nn/custom_loss.hpp"

namespace fastnn {
namespace {

// Rows whose numbers are in memory at once, and rows of a tile. They depend on shapes
// alone: sums over chunks then have the same bits for any number of threads.
struct Cut {
    Index chunk;
    Index tile;
};

Cut cut(const Network<double>& network, Index rows) {
    constexpr double kBytes = 128 << 20;  // of a chunk
    constexpr double kLongest = 2e9;      // flops of a tile: Ctrl-C waits for them
    constexpr Index kMost = 1024, kLeast = 16;
    double width = static_cast<double>(network.in_features());
    for (const auto& layer : network.layers()) {
        // out, z, their slopes and R of all
        width +=
            7 * std::visit([](const auto& l) { return static_cast<double>(l.width()); },
                           layer);
    }
    const double fit = kBytes / (sizeof(double) * width);
    const Index chunk = std::clamp(
        static_cast<Index>(std::min(fit, 1e6)) / kLeast * kLeast, kLeast, kMost);
    const Index batch = std::min(chunk, rows);
    Index tile = std::clamp<Index>(round_up(ceil_div(batch, 4), kLeast), kLeast, 128);
    const double flops_of_row =
        16 * static_cast<double>(std::max<Index>(network.parameters().size(), 1));
    while (tile > kLeast && static_cast<double>(tile) * flops_of_row > kLongest) {
        tile = round_up(tile / 2, kLeast);
    }
    return {batch, tile};
}

// Numbers of the direction v as layers see them: in the layout of the parameters, with
// the weights of dense layers packed.
class Direction {
public:
    Direction(const Network<double>& network, VectorView<const double> v, int n_threads)
        : panels_(network.tensors().size(Room::kPacked)),
          state_{v.data, network.statistics().data(), panels_.data()} {
        const auto& tiles = network.parameter_tiles();
        parallel_for(n_threads, static_cast<Index>(tiles.size()), [&](Index i, int) {
            const ParameterTile& tile = tiles[static_cast<std::size_t>(i)];
            const auto& layer = network.layers()[static_cast<std::size_t>(tile.layer)];
            if (const auto* dense = std::get_if<Dense<double>>(&layer)) {
                r_pack(*dense, network.parameters().data(), v.data, tile,
                       panels_.data());
            }
        });
    }
    const State<double>& state() const noexcept { return state_; }

private:
    Buffer<double> panels_;
    State<double> state_;
};

// The job: for each chunk of rows the sweeps, over tiles of rows, then the sums over
// its rows, over slices of the parameters.
class Product {
public:
    Product(const CurvatureTask& task,
            const State<double>& state,
            const State<double>& direction,
            Cut size,
            VectorView<double> out,
            const std::function<bool()>& interrupted)
        : task_(task),
          chunk_(size.chunk),
          net_(task.network, state, direction, task.kind, size.chunk, size.tile),
          total_weight_(task.samples.total_weight(nullptr, task.samples.size())),
          out_(out),
          ask_(interrupted) {
        if (task.samples.x.is_sparse()) {
            x_ = Matrix<double>(chunk_, task.network.in_features());
        }
        if (is_custom(task.loss)) judged_.resize(chunk_);
        begin_chunk(0);
    }

    Index tiles() const {
        if (stage_ != Stage::kSums) return net_.tiles();
        return static_cast<Index>(task_.network.parameter_tiles().size());
    }

    void run(Index i, int) {
        if (stage_ == Stage::kSums) {
            const auto& tiles = task_.network.parameter_tiles();
            return net_.gradient(tiles[static_cast<std::size_t>(i)], out_.data);
        }
        const Tile tile = net_.tile(i);
        if (stage_ == Stage::kForward) {
            net_.forward(tile);
            if (is_custom(task_.loss)) return;
            slopes(tile.rows);
        } else {
            weigh(tile.rows);
        }
        net_.backward(tile);
    }

    bool advance() {
        if (stopped_) return false;
        if (stage_ == Stage::kForward && is_custom(task_.loss)) {
            judge();
            stage_ = Stage::kBackward;
        } else if (stage_ != Stage::kSums) {
            stage_ = Stage::kSums;
        } else if (rows_.end < task_.samples.size()) {
            begin_chunk(rows_.end);
        } else {
            return false;
        }
        return true;
    }

    bool interrupted() {
        stopped_ = stopped_ || ask_();
        return stopped_;
    }
    bool is_done() const noexcept { return !stopped_; }

private:
    enum class Stage { kForward, kBackward, kSums };

    void begin_chunk(Index begin) {
        stage_ = Stage::kForward;
        rows_ = {begin, std::min(begin + chunk_, task_.samples.size())};
        part_ = task_.samples.slice(rows_);
        if (!part_.x.is_sparse()) return net_.begin(part_.x.dense);
        const MatrixView<double> x = x_.view({0, rows_.size()});
        write_out(part_.x.sparse, x);
        net_.begin(x);
    }

    // dL/dout and R{dL/dout} of some rows.
    void slopes(Range rows) {
        const Samples<double> part = part_.slice(rows);
        if (task_.kind == Curvature::kHessian) {
            loss_rows<double>(task_.loss, net_.outputs(rows), part.targets,
                              part.weights, nullptr, total_weight_, net_.slope(rows));
        }
        loss_r_rows(task_.loss, net_.outputs(rows), part.targets, part.weights,
                    total_weight_, net_.r_outputs(rows), net_.r_slope(rows));
    }

    // The same for all rows of a chunk by a custom loss, not yet weighed.
    void judge() {
        const Range rows = net_.rows();
        const MatrixView<const double> z = net_.outputs(rows);
        if (task_.kind == Curvature::kHessian) {
            judge_rows<double>(part_.targets, z, nullptr, judged_.view().slice(rows),
                               net_.slope(rows));
        }
        difference_of_slopes(z, net_.r_outputs(rows), net_.r_slope(rows));
    }

    // rdz := (slope(z + h rz) - slope(z - h rz)) / (2 h), h as for any central
    // difference: the cube root of the precision, in units of z.
    void difference_of_slopes(MatrixView<const double> z,
                              MatrixView<const double> rz,
                              MatrixView<double> rdz) {
        double size = 1, change = 0;
        for (Index i = 0; i < z.rows; ++i) {
            size = std::max(size, largest_absolute<double>({z.row(i), z.cols}));
            change = std::max(change, largest_absolute<double>({rz.row(i), rz.cols}));
        }
        for (Index i = 0; i < z.rows; ++i) std::fill_n(rdz.row(i), rdz.cols, 0.0);
        if (change == 0) return;
        const double h =
            std::cbrt(std::numeric_limits<double>::epsilon()) * size / change;
        Matrix<double> moved(z.rows, z.cols), slope(z.rows, z.cols);
        const Range all{0, z.rows};
        for (const double side : {1.0, -1.0}) {
            for (Index i = 0; i < z.rows; ++i) {
                step_along<double>({z.row(i), z.cols}, side * h, {rz.row(i), z.cols},
                                   {moved.row(i), z.cols});
            }
            judge_rows<double>(part_.targets, moved.view(all), nullptr,
                               judged_.view().slice(all), slope.view(all));
            for (Index i = 0; i < z.rows; ++i) {
                add_scaled<double>(side / (2 * h), {slope.row(i), z.cols},
                                   {rdz.row(i), z.cols});
            }
        }
    }

    void weigh(Range rows) {
        const Samples<double> part = part_.slice(rows);
        const VectorView<const double> losses =
            std::as_const(judged_).view().slice(rows);
        if (task_.kind == Curvature::kHessian) {
            weigh_rows<double>(losses, part.weights, nullptr, total_weight_,
                               net_.slope(rows));
        }
        weigh_rows<double>(losses, part.weights, nullptr, total_weight_,
                           net_.r_slope(rows));
    }

    const CurvatureTask& task_;
    Index chunk_;
    RNetwork net_;
    double total_weight_;
    VectorView<double> out_;
    const std::function<bool()>& ask_;
    Range rows_;  // of the chunk
    Samples<double> part_;
    Stage stage_ = Stage::kForward;
    bool stopped_ = false;
    Matrix<double> x_;       // (chunk, in), of sparse features
    Buffer<double> judged_;  // (chunk), of a custom loss
};

// out := the curvature of the penalty times v
void begin_with_penalty(const CurvatureTask& task,
                        VectorView<const double> v,
                        VectorView<double> out) {
    std::fill_n(out.data, out.size, 0.0);
    const double* w = task.network.parameters().data();
    for (const ParameterTile& tile : task.network.parameter_tiles()) {
        add_penalty_r_gradient(task.penalty, w, v.data, tile, out.data);
    }
}

// A thread must save about 100 microseconds to be worth its start.
int useful_threads(const CurvatureTask& task, int n_threads) {
    constexpr double kWorthAThread = 4e6;  // flops
    const double flops = 12 * static_cast<double>(task.network.parameters().size()) *
                         static_cast<double>(task.samples.size());
    const double useful = std::max(flops / kWorthAThread, 1.0);
    return static_cast<int>(std::min(useful, static_cast<double>(n_threads)));
}

}  // namespace

bool curvature_product(const CurvatureTask& task,
                       VectorView<const double> v,
                       VectorView<double> out,
                       int n_threads,
                       const std::function<bool()>& interrupted) {
    check_outputs(task.loss, task.network.out_features());
    const int threads = useful_threads(task, n_threads);
    PackedWeights<double> weights(task.network);
    weights.pack_all(threads);
    const State<double> state = weights.state();
    const Direction direction(task.network, v, threads);
    begin_with_penalty(task, v, out);
    Product product(task, state, direction.state(),
                    cut(task.network, task.samples.size()), out, interrupted);
    run_job(threads, product);
    return product.is_done();
}

}  // namespace fastnn
