// Losses on plain NumPy arrays: (value, gradient).
#include <cmath>
#include <cstdint>

#include "bindings/nn_from_dict.hpp"
#include "bindings/numpy_views.hpp"
#include "fastnn/core/buffer.hpp"
#include "fastnn/core/error.hpp"
#include "fastnn/kernels/parallel.hpp"
#include "fastnn/nn/loss.hpp"

namespace fastnn::bindings {
namespace {

constexpr double kLossElementCost = 2;  // nanoseconds

// A target or weight argument as an array of T: whatever NumPy makes an array of
// numbers.
template <class T>
py::array numbers(py::handle value, const char* name) {
    const py::array a = py::isinstance<py::array>(value) ? plain_array(value, name)
                                                         : py::array::ensure(value);
    if (!a || std::string("biuf").find(a.dtype().kind()) == std::string::npos) {
        PyErr_Clear();
        throw py::type_error(std::string(name) + " must hold numbers, got " +
                             kind_text(a ? py::handle(a) : value));
    }
    return to_dense<T>(a);
}

std::string shape_of(const py::array& a) { return shape_text(a.shape(), a.ndim()); }

// Weights of the rows divided by their sum, or empty when none are given.
template <class T>
Buffer<T> row_weights(py::handle sample_weight, Index rows) {
    if (sample_weight.is_none()) return {};
    const py::array a = numbers<double>(sample_weight, "sample_weight");
    if (a.ndim() != 1 || a.shape(0) != rows) {
        throw std::invalid_argument("sample_weight has shape " + shape_of(a) +
                                    ", expected (" + std::to_string(rows) +
                                    ",): one weight a row");
    }
    const auto* w = static_cast<const double*>(a.data());
    double total = 0;
    for (Index i = 0; i < rows; ++i) {
        if (!(w[i] >= 0)) {
            require(false, "sample_weight[" + std::to_string(i) + "]", w[i],
                    "not negative and not NaN");
        }
        total += w[i];
    }
    require(total > 0 && std::isfinite(total), "the sum of sample_weight", total,
            "positive and finite");
    Buffer<T> weights(rows);
    for (Index i = 0; i < rows; ++i) weights[i] = static_cast<T>(w[i] / total);
    return weights;
}

Buffer<std::int32_t> checked_labels(const py::array& y, Index rows, Index classes) {
    if (std::string("iu").find(y.dtype().kind()) == std::string::npos) {
        throw py::type_error("y must hold integer labels, got " + text(y.dtype()) +
                             ": use y.astype(np.int64)");
    }
    if (y.shape(0) != rows) {
        throw std::invalid_argument("y has " + std::to_string(y.shape(0)) +
                                    " labels, expected " + std::to_string(rows) +
                                    ": one a row of logits");
    }
    const py::array wide = to_dense<std::int64_t>(y);
    const auto* given = static_cast<const std::int64_t*>(wide.data());
    Buffer<std::int32_t> labels(rows);
    for (Index i = 0; i < rows; ++i) {
        const std::int64_t label = given[i];  // read once: others may write it
        if (label < 0 || label >= classes) {
            throw std::invalid_argument(
                "y[" + std::to_string(i) + "] is " + std::to_string(label) +
                ", expected a label in [0, " + std::to_string(classes) + ")");
        }
        labels[i] = static_cast<std::int32_t>(label);
    }
    return labels;
}

// Value and gradient over row tiles, the tiles' values added in their order.
template <class T>
double evaluate_loss(py::handle n_threads,
                     const Loss& loss,
                     MatrixView<const T> z,
                     const Targets<T>& targets,
                     const Buffer<T>& weights,
                     double total_weight,
                     MatrixView<T> dz) {
    constexpr Index kTileBytes = 32 << 10;
    const auto tiles = parallel::RowTiles::of_bytes(
        z.rows, z.cols * static_cast<Index>(sizeof(T)), kTileBytes, 8);
    Buffer<double> values(tiles.count());
    const auto work = [&](Index i, int) {
        const Range r = tiles[i];
        Targets<T> part = targets;
        if (part.are_labels()) {
            part.labels = part.labels.slice(r);
        } else {
            part.values = part.values.row_slice(r);
        }
        const VectorView<const T> w =
            weights.size() > 0 ? weights.view().slice(r) : VectorView<const T>{};
        values[i] = loss_rows<T>(loss, z.row_slice(r), part, w, nullptr, total_weight,
                                 dz.row_slice(r));
    };
    const double cost = kLossElementCost * static_cast<double>(z.rows * z.cols);
    run_kernel(n_threads, cost, [&](int n) { parallel_for(n, tiles.count(), work); });
    double total = 0;
    for (Index i = 0; i < values.size(); ++i) total += values[i];
    return total / total_weight;
}

void check_rows(Index rows) {
    require(rows > 0, "the number of rows", rows,
            "at least 1 (a loss is a mean over rows)");
}

// Losses of classes, by logits.
py::tuple class_loss(py::handle logits,
                     py::handle y,
                     const py::dict& config,
                     py::handle sample_weight,
                     py::handle out,
                     py::handle n_threads) {
    return with_dtype(logits, "logits", [&]<class T>(T) {
        const auto z = input_matrix<T>(logits, "logits");
        const Index rows = z.extent(0), classes = z.extent(1);
        check_rows(rows);
        require(classes > 0, "the number of classes in logits", classes, "at least 1");
        const auto loss = loss_from_dict(config);
        const Buffer<T> weights = row_weights<T>(sample_weight, rows);

        const py::array target =
            py::isinstance<py::array>(y) ? plain_array(y, "y") : py::array::ensure(y);
        if (!target) throw py::error_already_set();
        Buffer<std::int32_t> labels;
        py::array probabilities;
        Targets<T> targets;
        if (target.ndim() == 1) {
            labels = checked_labels(target, rows, classes);
            targets.labels = std::as_const(labels).view();
        } else {
            probabilities = numbers<T>(target, "y");
            if (target.ndim() != 2 || target.shape(0) != rows ||
                target.shape(1) != classes) {
                throw std::invalid_argument(
                    "y has shape " + shape_of(target) + ", expected (" +
                    std::to_string(rows) + ",) labels or " +
                    shape_text(z.array().shape(), 2) + " probabilities");
            }
            targets.values = {static_cast<const T*>(probabilities.data()), rows,
                              classes};
        }
        const Output<T> dz(out, "out", {rows, classes});
        dz.check_apart(z);
        dz.check_apart(target, "y");
        const double total = weights.size() > 0 ? 1.0 : static_cast<double>(rows);
        const double value = evaluate_loss<T>(n_threads, loss, z.matrix(), targets,
                                              weights, total, dz.matrix());
        return py::make_tuple(value, dz.array());
    });
}

template <class T>
void check_targets(const Loss& loss, const T* y, Index n) {
    const bool fractions = std::holds_alternative<loss::BinaryCrossEntropy>(loss) ||
                           std::holds_alternative<loss::Hinge>(loss);
    const bool counts = std::holds_alternative<loss::PoissonNll>(loss);
    for (Index i = 0; (fractions || counts) && i < n; ++i) {
        if (y[i] >= T(0) && (counts || y[i] <= T(1))) continue;
        require(false, "y at position " + std::to_string(i), y[i],
                counts ? "at least 0" : "in [0, 1]");
    }
}

// What one of so many outputs counts in the loss of its row.
double share_of_output(const Loss& loss, Index outputs) {
    return std::visit(
        [&]<class L>(const L& l) {
            if constexpr (requires { l.share(outputs); }) {
                return l.share(outputs);
            } else {
                return 1.0;
            }
        },
        loss);
}

// Losses that judge each element by itself. Without weights and pos_weight all elements
// are alike, so they are taken in long rows whatever the shape.
py::tuple elementwise_loss(py::handle outputs,
                           py::handle y,
                           const py::dict& config,
                           py::handle sample_weight,
                           py::handle out,
                           py::handle n_threads) {
    return with_dtype(outputs, "outputs", [&]<class T>(T) {
        const Input<T> z(outputs, "outputs");
        if (z.ndim() != 1 && z.ndim() != 2) {
            throw std::invalid_argument("outputs has " + std::to_string(z.ndim()) +
                                        " dimensions, expected 1 or 2");
        }
        const Index rows = z.extent(0), cols = z.ndim() == 2 ? z.extent(1) : 1;
        check_rows(rows);
        require(cols > 0, "the number of columns of outputs", cols, "at least 1");
        const auto loss = loss_from_dict(config);
        check_outputs(loss, cols);
        const Index width = target_width(loss, cols);
        const std::vector<Index> shape =
            z.ndim() == 1 ? std::vector<Index>{rows} : std::vector<Index>{rows, width};
        const py::array target = numbers<T>(y, "y");
        if (!std::equal(shape.begin(), shape.end(), target.shape(),
                        target.shape() + target.ndim())) {
            throw std::invalid_argument(
                "y has shape " + shape_of(target) + ", expected " +
                shape_text(shape.data(), z.ndim()) +
                (width == cols ? ": the shape of outputs" : ": half the outputs"));
        }
        const auto* t = static_cast<const T*>(target.data());
        check_targets(loss, t, rows * width);
        const Buffer<T> weights = row_weights<T>(sample_weight, rows);
        const Output<T> dz(out, "out", z.array().shape(), z.ndim());
        dz.check_apart(z);
        dz.check_apart(target, "y");

        const auto part = [&](Index first, Index n, Index wide, double total_weight) {
            if (n == 0) return 0.0;
            Targets<T> targets;
            targets.values = {t + first, n, target_width(loss, wide)};
            return evaluate_loss<T>(n_threads, loss, {z.data() + first, n, wide},
                                    targets, weights, total_weight,
                                    {dz.data() + first, n, wide});
        };
        const auto* binary = std::get_if<loss::BinaryCrossEntropy>(&loss);
        double value = 0;
        if (weights.size() > 0 || (binary && binary->pos_weight.size() > 1) ||
            width != cols) {
            const double total = weights.size() > 0 ? 1.0 : static_cast<double>(rows);
            value = part(0, rows, cols, total);
        } else {
            constexpr Index kRun = 1024;
            const Index size = rows * cols, runs = size / kRun, rest = size % kRun;
            const auto total = [&](Index wide) {
                return static_cast<double>(rows) * share_of_output(loss, wide) /
                       share_of_output(loss, cols);
            };
            value = part(0, runs, kRun, total(kRun));
            if (rest > 0) value += part(runs * kRun, 1, rest, total(rest));
        }
        return py::make_tuple(value, dz.array());
    });
}

}  // namespace

void register_loss_kernels(py::module_& m) {
    using namespace py::literals;
    m.def("class_loss", &class_loss, "logits"_a, "y"_a, "config"_a, "sample_weight"_a,
          "out"_a, "n_threads"_a);
    m.def("elementwise_loss", &elementwise_loss, "outputs"_a, "y"_a, "config"_a,
          "sample_weight"_a, "out"_a, "n_threads"_a);
}

}  // namespace fastnn::bindings
