#include "fastnn/train/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "fastnn/core/error.hpp"

namespace fastnn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_custom_for(const char* targets, const Loss& loss) {
    const auto* custom = std::get_if<loss::Custom>(&loss);
    return custom && custom->targets == targets;
}

bool is_binary(const Loss& loss) {
    return std::holds_alternative<loss::BinaryCrossEntropy>(loss) ||
           std::holds_alternative<loss::Hinge>(loss) || is_custom_for("labels", loss);
}

bool is_classification(const Loss& loss) {
    return is_binary(loss) || std::holds_alternative<loss::CrossEntropy>(loss) ||
           std::holds_alternative<loss::Focal>(loss) || is_custom_for("classes", loss);
}

// Outputs beside their targets and weights, a row at a time.
template <class T>
struct Scored {
    MatrixView<const T> outputs;
    const Samples<T>& samples;
    const Index* rows;
    bool log_rates;  // the targets are near the exponentials of the outputs
    Index first;     // of the outputs that have a target
    const std::function<bool()>& interrupted;

    // Whether to give up before row i.
    bool ends_at(Index i) const {
        constexpr Index kRows = 8192;
        return i % kRows == 0 && interrupted && interrupted();
    }
    Index sample(Index i) const { return rows ? rows[i] : i; }
    const T* z(Index i) const { return outputs.row(i); }
    double weight(Index i) const {
        return samples.weights.empty()
                   ? 1.0
                   : static_cast<double>(samples.weights[sample(i)]);
    }
    double target(Index i, Index j) const {
        return static_cast<double>(samples.targets.values(sample(i), j));
    }
    // Outputs that have a target.
    Index values() const { return samples.targets.values.cols; }
    double predicted(Index i, Index j) const {
        const auto value = static_cast<double>(z(i)[first + j]);
        return log_rates ? std::exp(value) : value;
    }
    Index label(Index i) const {
        if (samples.targets.are_labels()) return samples.targets.labels[sample(i)];
        const T* y = samples.targets.values.row(sample(i));
        return std::max_element(y, y + outputs.cols) - y;
    }
};

template <class T>
double accuracy(const Scored<T>& s, bool binary) {
    const Index n_out = s.outputs.cols;
    double right = 0, total = 0;
    for (Index i = 0; i < s.outputs.rows && !s.ends_at(i); ++i) {
        const T* z = s.z(i);
        double hits = 0;
        if (binary) {
            for (Index j = 0; j < n_out; ++j)
                hits += (z[j] > 0) == (s.target(i, j) > 0.5);
            hits /= static_cast<double>(n_out);
        } else {
            hits = std::max_element(z, z + n_out) - z == s.label(i);
        }
        right += s.weight(i) * hits;
        total += s.weight(i);
    }
    return right / total;
}

template <class T>
double mean_absolute_error(const Scored<T>& s) {
    double sum = 0, total = 0;
    for (Index i = 0; i < s.outputs.rows && !s.ends_at(i); ++i) {
        for (Index j = 0; j < s.values(); ++j) {
            const double d = s.predicted(i, j) - s.target(i, j);
            sum += s.weight(i) * std::abs(d);
        }
        total += s.weight(i) * static_cast<double>(s.values());
    }
    return sum / total;
}

template <class T>
double r2_of_output(const Scored<T>& s, Index j) {
    double mean = 0, total = 0;
    for (Index i = 0; i < s.outputs.rows && !s.ends_at(i); ++i) {
        mean += s.weight(i) * s.target(i, j);
        total += s.weight(i);
    }
    mean /= total;
    double residual = 0, spread = 0;
    for (Index i = 0; i < s.outputs.rows && !s.ends_at(i); ++i) {
        const double y = s.target(i, j);
        const double d = y - s.predicted(i, j);
        residual += s.weight(i) * d * d;
        spread += s.weight(i) * (y - mean) * (y - mean);
    }
    // scikit-learn's convention for constant targets
    if (spread == 0) return residual == 0 ? 1.0 : 0.0;
    return 1 - residual / spread;
}

struct Judged {
    double score;
    double weight;
    bool positive;
};

// Ascending. False: interrupted half-way.
bool sort_by_score(std::vector<Judged>& items,
                   const std::function<bool()>& interrupted) {
    constexpr std::uint32_t kComparisons = 1 << 20;  // some milliseconds
    struct Interruption {};
    std::uint32_t n = 0;
    const auto before = [&](const Judged& a, const Judged& b) {
        if (++n % kComparisons == 0 && interrupted && interrupted()) {
            throw Interruption();
        }
        return a.score < b.score;
    };
    try {
        std::sort(items.begin(), items.end(), before);
    } catch (const Interruption&) {
        return false;
    }
    return true;
}

// P(score of a positive > score of a negative) + P(equal) / 2, weighted.
double area_under_curve(std::vector<Judged>& items,
                        const std::function<bool()>& interrupted) {
    if (!sort_by_score(items, interrupted)) return kNaN;
    double below = 0, positives = 0, area = 0;
    for (std::size_t i = 0; i < items.size();) {
        double tied_negative = 0, tied_positive = 0;
        const double score = items[i].score;
        for (; i < items.size() && items[i].score == score; ++i) {
            (items[i].positive ? tied_positive : tied_negative) += items[i].weight;
        }
        area += tied_positive * (below + tied_negative / 2);
        below += tied_negative;
        positives += tied_positive;
    }
    return area / (positives * below);
}

// log softmax of one output: ranks rows as probabilities do, without underflow.
template <class T>
double log_probability(const T* z, Index n, Index j) {
    const double top = static_cast<double>(*std::max_element(z, z + n));
    double sum = 0;
    for (Index k = 0; k < n; ++k) sum += std::exp(static_cast<double>(z[k]) - top);
    return static_cast<double>(z[j]) - top - std::log(sum);
}

template <class T>
double auc_of_output(const Scored<T>& s, Index j, bool binary) {
    std::vector<Judged> items;
    items.reserve(static_cast<std::size_t>(s.outputs.rows));
    for (Index i = 0; i < s.outputs.rows && !s.ends_at(i); ++i) {
        const double score = binary ? static_cast<double>(s.z(i)[j])
                                    : log_probability(s.z(i), s.outputs.cols, j);
        if (std::isnan(score)) return score;
        const bool positive = binary ? s.target(i, j) > 0.5 : s.label(i) == j;
        items.push_back({score, s.weight(i), positive});
    }
    return area_under_curve(items, s.interrupted);
}

template <class Term>
double average(Range outputs, Term term) {
    double sum = 0;
    for (Index j = outputs.begin; j < outputs.end; ++j) sum += term(j);
    return sum / static_cast<double>(outputs.size());
}

}  // namespace

const std::vector<std::string>& metric_names() {
    static const std::vector<std::string> names{"accuracy", "mae", "r2", "auc"};
    return names;
}

std::vector<Metric> metrics_for(const std::vector<std::string>& names,
                                const Loss& loss) {
    std::vector<Metric> metrics;
    const auto& known = metric_names();
    for (const std::string& name : names) {
        const auto found = std::find(known.begin(), known.end(), name);
        require(found != known.end(), "metrics", "'" + name + "'",
                "names among accuracy, mae, r2, auc");
        const auto metric = static_cast<Metric>(found - known.begin());
        require(!is_custom_for("any", loss), "metrics", "'" + name + "'",
                "empty with a custom loss whose targets may be anything");
        const bool for_classes = metric == Metric::kAccuracy || metric == Metric::kAuc;
        require(for_classes == is_classification(loss), "metrics", "'" + name + "'",
                is_classification(loss) ? "accuracy or auc with a classification loss"
                                        : "mae or r2 with a regression loss");
        metrics.push_back(metric);
    }
    return metrics;
}

template <class T>
double evaluate_metric(Metric metric,
                       const Loss& loss,
                       MatrixView<const T> outputs,
                       const Samples<T>& samples,
                       const Index* rows,
                       const std::function<bool()>& interrupted) {
    const bool log_rates = std::holds_alternative<loss::PoissonNll>(loss);
    const Index first = first_prediction(loss, outputs.cols);
    const Scored<T> s{outputs, samples, rows, log_rates, first, interrupted};
    const bool binary = is_binary(loss);
    switch (metric) {
        case Metric::kAccuracy:
            return accuracy(s, binary);
        case Metric::kMae:
            return mean_absolute_error(s);
        case Metric::kR2:
            return average({0, s.values()},
                           [&](Index j) { return r2_of_output(s, j); });
        case Metric::kAuc:
            // Two classes share one curve: the second output's.
            return average({!binary && outputs.cols == 2 ? 1 : 0, outputs.cols},
                           [&](Index j) { return auc_of_output(s, j, binary); });
    }
    return kNaN;
}

template double evaluate_metric<float>(Metric,
                                       const Loss&,
                                       MatrixView<const float>,
                                       const Samples<float>&,
                                       const Index*,
                                       const std::function<bool()>&);
template double evaluate_metric<double>(Metric,
                                        const Loss&,
                                        MatrixView<const double>,
                                        const Samples<double>&,
                                        const Index*,
                                        const std::function<bool()>&);

}  // namespace fastnn
