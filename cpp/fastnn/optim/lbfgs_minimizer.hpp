// L-BFGS in motion: it asks where to evaluate a function and is told value and gradient
// there. It knows neither networks nor Python.
//
//   minimizer.begin(x, lr);
//   do {
//       value = f(minimizer.point(), minimizer.gradient());    // fills the gradient
//   } while (minimizer.tell(value) == LbfgsStatus::kEvaluate);
//
// Whoever has threads asks for tell_by_stages and runs the stages of each direction.
// Each iteration takes the direction d = -H g (curvature_history.hpp) and goes along it
// as far as the line search says (wolfe_search.hpp).
#pragma once

#include <cstdint>

#include "fastnn/core/buffer.hpp"
#include "fastnn/optim/curvature_history.hpp"
#include "fastnn/optim/lbfgs.hpp"
#include "fastnn/optim/wolfe_search.hpp"

namespace fastnn::optim {

// Whether a run goes on, or why it ended.
enum class LbfgsStatus {
    kEvaluate,        // the function at point() is wanted
    kDirection,       // the stages of the next direction are to be run
    kSmallGradient,   // its largest element is within tolerance_grad
    kSmallChange,     // of x or of the value: within tolerance_change
    kMaxIterations,   // max_iter iterations are done
    kMaxEvaluations,  // max_eval evaluations are done
    kNoLowerValue,    // along the gradient nothing lower can be told apart
    kUnbounded,       // the value falls all along a line
    kNotFinite        // at the start, or after a step of fixed length
};
// Whether a tolerance is met.
constexpr bool has_converged(LbfgsStatus status) noexcept {
    return status == LbfgsStatus::kSmallGradient || status == LbfgsStatus::kSmallChange;
}
// In words, for the user.
const char* message_of(LbfgsStatus status) noexcept;

template <class T>
class LbfgsMinimizer {
public:
    // Memory for n numbers is taken at the first begin().
    LbfgsMinimizer(const Lbfgs& config, Index n);

    // A run from x. What earlier runs learned of the curvature is kept.
    void begin(const T* x, double lr);  // (n)
    // A run from x(), where the function is known from the run before. That counts as
    // an evaluation: the run is the same as one that makes it. As tell_by_stages.
    LbfgsStatus proceed(double lr);

    const Buffer<T>& point() const noexcept { return point_; }  // (n)
    T* gradient() noexcept { return gradient_.data(); }         // (n)
    // Takes the value at point(), whose gradient is in gradient(). Not finite: the line
    // search backs off.
    LbfgsStatus tell(double value);
    // The same, but for large n the answer may be kDirection: then the stages are to be
    // run, as told in curvature_history.hpp.
    LbfgsStatus tell_by_stages(double value);
    Index tiles() const noexcept { return history_.tiles(); }
    void run(Index tile) noexcept { history_.run(tile); }
    LbfgsStatus advance();  // kDirection while there are more stages
    LbfgsStatus status() const noexcept { return status_; }

    // Where the last finished iteration ended, and the function there.
    const Buffer<T>& x() const noexcept { return x_; }
    double value() const noexcept { return value_; }
    double largest_gradient() const noexcept;  // absolute element
    // Whether the value told last is that at x().
    bool was_told_at_x() const noexcept { return told_at_x_; }

    Index iterations() const noexcept { return iterations_; }    // of this run
    Index evaluations() const noexcept { return evaluations_; }  // of this run
    const Lbfgs& config() const noexcept { return config_; }
    Index n_parameters() const noexcept { return n_; }

    // The state between runs, to save and to restore it: how many runs were begun, and
    // the curvature.
    std::int64_t runs() const noexcept { return runs_; }
    void restore_runs(std::int64_t runs) noexcept { runs_ = runs; }
    // Grows with every run and is never restored: tells whether another has used it.
    std::uint64_t generation() const noexcept { return generation_; }
    CurvatureHistory<T>& history() noexcept { return history_; }
    const CurvatureHistory<T>& history() const noexcept { return history_; }
    // Forgets all state: as if freshly built.
    void reset() noexcept;

private:
    void begin_run(double lr);
    LbfgsStatus follow(double value);
    LbfgsStatus next_iteration();
    LbfgsStatus find_direction();
    LbfgsStatus take_direction();
    LbfgsStatus go_to(double t);
    LbfgsStatus finish_search();
    LbfgsStatus finish_iteration(const LinePoint& end);
    double slope_of(const Buffer<T>& gradient) const noexcept;  // along d
    double first_step() const noexcept;
    bool searches() const noexcept { return config_.line_search_fn.has_value(); }

    Lbfgs config_;
    Index n_;
    CurvatureHistory<T> history_;
    WolfeSearch search_;
    LbfgsStatus status_ = LbfgsStatus::kEvaluate;
    bool starting_ = true;  // the value at x is awaited
    bool told_at_x_ = false;
    double lr_ = 1;
    double t_ = 0;      // point = x + t d
    double value_ = 0;  // at x
    double slope_ = 0;  // along d at x
    Index iterations_ = 0;
    Index evaluations_ = 0;
    std::int64_t runs_ = 0;
    std::uint64_t generation_ = 0;

    Buffer<T> x_, point_, d_;
    Buffer<T> gradient_;       // at point(), to be filled
    Buffer<T> x_gradient_;     // at x
    Buffer<T> best_gradient_;  // at the search's best point
};

}  // namespace fastnn::optim
