// Losses on raw outputs, a row at a time: l = loss(output, target) and d l / d output.
//
// Each loss is a struct with the same parts: its formula, its parameters and `row`. The
// loss of a batch is sum_i w_i l_i / sum_i w_i over its rows. The variant at the end is
// the registry. Definitions agree with torch.nn where torch has them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn {

// Losses from outside, of a whole batch at a time. The judge knows the data set: row i
// belongs to its sample first + rows[i] (first + i when rows is null). It gives the
// loss of each row and, unless dz is empty, its gradient. Slow to reach, it is asked on
// the calling thread alone; it may throw.
template <class T>
using Judge = std::function<void(MatrixView<const T> z,  // (rows, outputs)
                                 Index first,
                                 const Index* rows,          // (rows), or null
                                 VectorView<double> losses,  // (rows)
                                 MatrixView<T> dz)>;         // (rows, outputs)

// What the outputs are compared with: class labels, or one row of values per sample.
template <class T>
struct Targets {
    VectorView<const std::int32_t> labels;  // (rows), or empty
    MatrixView<const T> values;             // (rows, target_width), or empty
    const Judge<T>* judge = nullptr;        // with loss::Custom: of the whole data set,
    Index first = 0;                        // of which these begin with row `first`

    bool are_labels() const noexcept { return labels.data != nullptr; }
};

// One sample: its outputs z and its target.
template <class T>
struct Sample {
    const T* z;          // (outputs)
    const T* y;          // (target_width); null with a label
    std::int32_t label;  // the class; -1 with values
    Index outputs;
};

namespace loss {

// What one output counts in the loss of its row, where outputs are judged one by one.
inline double share_of(Index outputs, bool summed) {
    return summed ? 1.0 : 1.0 / static_cast<double>(outputs);
}

// l = mean_j (z_j - y_j)^2
struct Mse {
    static constexpr const char* kKind = "mse";
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    double share(Index outputs) const { return share_of(outputs, false); }
};

// l = sum_j (z_j - y_j)^2 / 2
struct SquaredError {
    static constexpr const char* kKind = "squared_error";
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    double share(Index outputs) const { return share_of(outputs, true); }
};

// l = mean_j |z_j - y_j|; the subgradient at 0 is 0
struct Mae {
    static constexpr const char* kKind = "mae";
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    double share(Index outputs) const { return share_of(outputs, false); }
};

// l = mean_j h(z_j - y_j), h(d) = d^2/2 for |d| <= delta, delta (|d| - delta/2) beyond
// (Huber 1964)
struct Huber {
    static constexpr const char* kKind = "huber";
    double delta = 1.0;
    static constexpr auto fields() { return std::tuple{field("delta", &Huber::delta)}; }
    void validate() const { require_positive("delta", delta); }
    double share(Index outputs) const { return share_of(outputs, false); }
};

// l = mean_j log cosh(z_j - y_j)
struct LogCosh {
    static constexpr const char* kKind = "log_cosh";
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    double share(Index outputs) const { return share_of(outputs, false); }
};

// l = mean_j max(q (y_j - z_j), (q - 1) (y_j - z_j)); the subgradient at 0 is 0
// (Koenker and Bassett 1978). Of several q the outputs are as many runs of quantiles of
// all y_j, and l is the mean over these too.
struct Quantile {
    static constexpr const char* kKind = "quantile";
    std::vector<double> q{0.5};
    static constexpr auto fields() { return std::tuple{field("q", &Quantile::q)}; }
    void validate() const;
    double share(Index outputs) const { return share_of(outputs, false); }
    Index count() const noexcept { return static_cast<Index>(q.size()); }
    // The position of the one nearest the median.
    Index central() const noexcept;
};

// l = mean_j (exp(z_j) - y_j z_j), or the sum over j: counts y whose log rate is z
struct PoissonNll {
    static constexpr const char* kKind = "poisson";
    bool sum_outputs = false;
    static constexpr auto fields() {
        return std::tuple{field("sum_outputs", &PoissonNll::sum_outputs)};
    }
    void validate() const {}
    double share(Index outputs) const { return share_of(outputs, sum_outputs); }
};

// l = mean_j (v_j + (m_j - y_j)^2 exp(-v_j)) / 2 over half the outputs: means m, then
// as many logarithms of variances, v = max(., log eps) (Nix and Weigend 1994)
struct GaussianNll {
    static constexpr const char* kKind = "gaussian";
    double eps = 1e-6;
    static constexpr auto fields() {
        return std::tuple{field("eps", &GaussianNll::eps)};
    }
    void validate() const { require_positive("eps", eps); }
};

// l = -sum_j q_j log softmax(z)_j, q = (1 - s) target + s / outputs (Szegedy et al.
// 2016)
struct CrossEntropy {
    static constexpr const char* kKind = "cross_entropy";
    double label_smoothing = 0.0;
    static constexpr auto fields() {
        return std::tuple{field("label_smoothing", &CrossEntropy::label_smoothing)};
    }
    void validate() const;
};

// l = -sum_j q_j (1 - p_j)^gamma log p_j, p = softmax(z), q the target (Lin et al.
// 2017)
struct Focal {
    static constexpr const char* kKind = "focal";
    double gamma = 2.0;
    static constexpr auto fields() { return std::tuple{field("gamma", &Focal::gamma)}; }
    void validate() const { require_not_negative("gamma", gamma); }
};

// l = mean_j max(0, 1 - t_j z_j), t = 2 y - 1; the subgradient at the corner is 0
struct Hinge {
    static constexpr const char* kKind = "hinge";
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    double share(Index outputs) const { return share_of(outputs, false); }
};

// l = mean_j (-p_j q_j log s(z_j) - (1 - q_j) log(1 - s(z_j))), or the sum over j, s
// the logistic function, p_j = pos_weight, q = (1 - smoothing) y + smoothing / 2
struct BinaryCrossEntropy {
    static constexpr const char* kKind = "binary_cross_entropy";
    std::vector<double> pos_weight;  // empty, one for all outputs, or one per output
    double label_smoothing = 0.0;
    bool sum_outputs = false;
    static constexpr auto fields() {
        return std::tuple{
            field("pos_weight", &BinaryCrossEntropy::pos_weight),
            field("label_smoothing", &BinaryCrossEntropy::label_smoothing),
            field("sum_outputs", &BinaryCrossEntropy::sum_outputs)};
    }
    void validate() const;
    double share(Index outputs) const { return share_of(outputs, sum_outputs); }
};

// The loss that comes from outside, by the targets' judge. It may know its targets in
// a form of its own ("any"); otherwise they are as for other losses, with their
// metrics.
struct Custom {
    static constexpr const char* kKind = "custom";
    std::string targets = "any";  // or "values", "classes", "labels"
    static constexpr auto fields() {
        return std::tuple{field("targets", &Custom::targets)};
    }
    void validate() const;
};

}  // namespace loss

using Loss = std::variant<loss::Mse,
                          loss::SquaredError,
                          loss::Mae,
                          loss::Huber,
                          loss::LogCosh,
                          loss::Quantile,
                          loss::PoissonNll,
                          loss::GaussianNll,
                          loss::CrossEntropy,
                          loss::Focal,
                          loss::BinaryCrossEntropy,
                          loss::Hinge,
                          loss::Custom>;

inline bool is_custom(const Loss& loss) {
    return std::holds_alternative<loss::Custom>(loss);
}

// How many values a row of targets has for so many outputs.
Index target_width(const Loss& loss, Index outputs);
// The first of the outputs that say what the targets are near: the others say how near.
Index first_prediction(const Loss& loss, Index outputs);

// Throws unless the loss fits a network with this many outputs.
void check_outputs(const Loss& loss, Index outputs);

// Loss and gradient of some rows of a batch. Row i of z is compared with target row
// rows[i] (row i when rows is null) and weighs weights[rows[i]] (1 when weights is
// empty). Returns sum_i w_i l_i; dz, unless empty, becomes w_i / total_weight * d l_i /
// d z_i. Labels were checked, but they lie in the user's array, which a callback or
// another thread may overwrite: one that is no class makes the sum NaN, and dz is then
// meaningless. A custom loss is judged by whole batches (custom_loss.hpp), and NaN
// here.
template <class T>
double loss_rows(const Loss& loss,
                 MatrixView<const T> z,        // (rows, outputs)
                 const Targets<T>& targets,    // (n) or (n, outputs)
                 VectorView<const T> weights,  // (n), or empty
                 const Index* rows,            // (rows), or null
                 double total_weight,
                 MatrixView<T> dz) noexcept;  // (rows, outputs), or empty

}  // namespace fastnn
