#include "fastnn/train/divergence_watch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/train/divergence.hpp"
#include "fastnn/train/evaluation.hpp"
#include "fastnn/train/snapshot.hpp"

namespace fastnn {
namespace {

// An epoch whose mean loss exceeds this many times both what zero outputs give and what
// the run began with has diverged, though float arithmetic may still hold the numbers.
constexpr double kDivergenceFactor = 1e4;

// Weights that grew so many times since the run began are looked at: the loss of an
// epoch was taken before each step, so it cannot tell what the last ones did. Together
// with such a leap a smaller excess of the loss is proof enough.
constexpr double kLeap = 1e3;
constexpr double kDivergenceFactorAfterLeap = 1e2;

std::string too_large(const std::string& name, double value, double factor) {
    std::ostringstream text;
    text << became(name, value) << ", more than " << factor
         << " times what zero outputs give";
    return text.str();
}

// The log rates that fit counts best.
template <class T>
void log_of(MatrixView<const T> counts, Matrix<T>& out) {
    constexpr T kTiny = T(1e-30);
    for (Index i = 0; i < counts.rows; ++i) {
        for (Index j = 0; j < counts.cols; ++j) {
            out.row(i)[j] = std::log(std::max(counts(i, j), kTiny));
        }
    }
}

}  // namespace

template <class T>
DivergenceWatch<T>::DivergenceWatch(const Network<T>& network,
                                    const Loss& loss,
                                    const Samples<T>& train,
                                    std::function<bool()> interrupted)
    : network_(network),
      loss_(loss),
      train_(train),
      interrupted_(std::move(interrupted)) {
    scale_.first_square = squared_norm<T>(network.parameters().view());
}

template <class T>
void DivergenceWatch<T>::begin() {
    scale_.usual_loss = baseline_loss();
}

template <class T>
void DivergenceWatch<T>::saw_first_batch(double mean_loss) noexcept {
    scale_.usual_loss = std::max(scale_.usual_loss, mean_loss);
}

template <class T>
std::string DivergenceWatch<T>::trouble(double mean_loss,
                                        const PackedWeights<T>& weights) const {
    if (!std::isfinite(mean_loss)) return became("the loss", mean_loss);
    if (mean_loss > kDivergenceFactor * scale_.usual_loss) {
        return too_large("the mean loss of an epoch", mean_loss, kDivergenceFactor);
    }
    // Not finite, or of float64 weights too large to be squared.
    const double square = squared_norm<T>(network_.parameters().view());
    if (!(std::isfinite(square) && all_finite<T>(network_.statistics().view())) &&
        !is_finite(network_)) {
        return what_broke(network_);
    }
    if (square > kLeap * kLeap * std::max(scale_.first_square, 1.0)) {
        const double after = loss_by_inference(weights);
        if (!(after <= kDivergenceFactorAfterLeap * scale_.usual_loss)) {
            return too_large("the loss after an epoch", after,
                             kDivergenceFactorAfterLeap);
        }
    }
    return "";
}

// What knowing nothing costs: the mean loss of outputs that are all zero, beyond the
// least loss there can be.
template <class T>
double DivergenceWatch<T>::baseline_loss() const {
    // What is much for a loss from outside, it alone knows.
    if (is_custom(loss_)) return std::numeric_limits<double>::infinity();
    constexpr Index kHeight = 64;
    const Matrix<T> zero(kHeight, network_.out_features());
    const bool counts = std::holds_alternative<loss::PoissonNll>(loss_);
    Matrix<T> best(kHeight, network_.out_features());
    const double total = train_.total_weight(nullptr, train_.size());
    double sum = 0;
    for (Index i = 0; i < train_.size() && !interrupted_(); i += kHeight) {
        const Range rows{i, std::min(i + kHeight, train_.size())};
        const Samples<T> part = train_.slice(rows);
        const auto loss_of = [&](const Matrix<T>& outputs) {
            return loss_rows<T>(loss_, outputs.view({0, rows.size()}), part.targets,
                                part.weights, nullptr, total, {});
        };
        sum += loss_of(zero);
        if (!counts) continue;
        log_of<T>(part.targets.values, best);
        sum -= loss_of(best);
    }
    return sum / total;
}

// The mean loss of the samples with the weights as they are.
template <class T>
double DivergenceWatch<T>::loss_by_inference(const PackedWeights<T>& weights) const {
    Evaluation<T> evaluation(network_, weights, loss_, {}, train_, 1);
    for (Index i = 0; i < evaluation.tiles(); ++i) {
        if (interrupted_()) return 0;  // nobody looks at it
        evaluation.run(i, 0);
    }
    return evaluation.loss();
}

template class DivergenceWatch<float>;
template class DivergenceWatch<double>;

}  // namespace fastnn
