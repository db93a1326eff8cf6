#include "fastnn/optim/lbfgs_minimizer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/vectors.hpp"

namespace fastnn::optim {

const char* message_of(LbfgsStatus status) noexcept {
    switch (status) {
        case LbfgsStatus::kEvaluate:
        case LbfgsStatus::kDirection:
            return "the run has not ended";
        case LbfgsStatus::kSmallGradient:
            return "converged: no element of the gradient exceeds tolerance_grad";
        case LbfgsStatus::kSmallChange:
            return "converged: x or the value changes by less than tolerance_change";
        case LbfgsStatus::kMaxIterations:
            return "max_iter iterations are done";
        case LbfgsStatus::kMaxEvaluations:
            return "max_eval evaluations are done";
        case LbfgsStatus::kNoLowerValue:
            return "no further progress: along the gradient no lower value can be told "
                   "apart";
        case LbfgsStatus::kUnbounded:
            return "the function seems unbounded below: it falls all along a line";
        case LbfgsStatus::kNotFinite:
            return "the value or the gradient is not finite: lower lr, or use "
                   "line_search_fn='strong_wolfe'";
    }
    return "";
}

template <class T>
LbfgsMinimizer<T>::LbfgsMinimizer(const Lbfgs& config, Index n)
    : config_(config), n_(n), history_(n, config.history_size) {}

template <class T>
void LbfgsMinimizer<T>::reset() noexcept {
    history_.clear();
    runs_ = 0;
    ++generation_;
}

template <class T>
void LbfgsMinimizer<T>::begin(const T* x, double lr) {
    for (Buffer<T>* buffer :
         {&x_, &point_, &d_, &gradient_, &x_gradient_, &best_gradient_}) {
        buffer->reserve(n_);
    }
    std::copy_n(x, n_, x_.data());
    std::copy_n(x, n_, point_.data());
    starting_ = true;
    told_at_x_ = false;
    begin_run(lr);
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::proceed(double lr) {
    begin_run(lr);
    ++evaluations_;
    return status_ = next_iteration();
}

template <class T>
void LbfgsMinimizer<T>::begin_run(double lr) {
    lr_ = lr;
    iterations_ = evaluations_ = 0;
    ++runs_;
    ++generation_;
    status_ = LbfgsStatus::kEvaluate;
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::tell(double value) {
    tell_by_stages(value);
    while (status_ == LbfgsStatus::kDirection) {
        for (Index i = 0; i < tiles(); ++i) run(i);
        advance();
    }
    return status_;
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::tell_by_stages(double value) {
    ++evaluations_;
    if (!starting_) return status_ = follow(value);
    starting_ = false;
    told_at_x_ = true;
    value_ = value;
    std::swap(gradient_, x_gradient_);
    const bool finite = std::isfinite(value) && all_finite<T>(x_gradient_.view());
    return status_ = finite ? next_iteration() : LbfgsStatus::kNotFinite;
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::next_iteration() {
    if (largest_gradient() <= config_.tolerance_grad) {
        return LbfgsStatus::kSmallGradient;
    }
    return find_direction();
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::find_direction() {
    history_.begin_direction(x_gradient_.view(), d_.view());
    if (tiles() > 1) return LbfgsStatus::kDirection;
    do {  // too little to share
        run(0);
    } while (history_.advance());
    return take_direction();
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::advance() {
    if (history_.advance()) return status_;
    return status_ = take_direction();
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::take_direction() {
    slope_ = history_.slope();
    if (!(slope_ < 0) && !history_.empty()) {  // H is lost in rounding
        history_.clear();
        return find_direction();
    }
    if (!(slope_ < 0)) return LbfgsStatus::kNoLowerValue;
    if (slope_ > -config_.tolerance_change) return LbfgsStatus::kSmallChange;
    if (searches()) {
        const double longest = largest_absolute<T>(d_.view());
        search_.begin(value_, slope_, first_step(), config_.tolerance_change / longest);
    }
    return go_to(first_step());
}

// Without knowledge of the curvature the gradient's length says nothing: the first step
// changes x by 1 in all.
template <class T>
double LbfgsMinimizer<T>::first_step() const noexcept {
    if (!history_.empty()) return lr_;
    return lr_ * std::min(1.0, 1 / sum_of_absolutes<T>(x_gradient_.view()));
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::go_to(double t) {
    t_ = t;
    step_along<T>(x_.view(), t, d_.view(), point_.view());
    return LbfgsStatus::kEvaluate;
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::follow(double value) {
    told_at_x_ = false;
    const double slope = slope_of(gradient_);
    if (!searches()) {
        std::swap(gradient_, best_gradient_);
        if (!std::isfinite(value) || !std::isfinite(slope)) {
            return LbfgsStatus::kNotFinite;
        }
        return finish_iteration({t_, value, slope});
    }
    const WolfeSearch::Outcome outcome = search_.tell(value, slope);
    if (search_.best().t == t_) std::swap(gradient_, best_gradient_);
    if (outcome == WolfeSearch::Outcome::kMore) return go_to(search_.step());
    if (outcome == WolfeSearch::Outcome::kUnbounded) {
        finish_iteration(search_.best());
        return LbfgsStatus::kUnbounded;
    }
    return finish_search();
}

// A search that found nothing lower may have been led astray by pairs: the gradient
// alone gets a try.
template <class T>
LbfgsStatus LbfgsMinimizer<T>::finish_search() {
    if (search_.best().t > 0) return finish_iteration(search_.best());
    if (history_.empty()) return LbfgsStatus::kNoLowerValue;
    history_.clear();
    return find_direction();
}

template <class T>
LbfgsStatus LbfgsMinimizer<T>::finish_iteration(const LinePoint& end) {
    told_at_x_ = end.t == t_;
    if (!told_at_x_) go_to(end.t);
    std::swap(x_, point_);
    history_.add(end.t, d_.view(), x_gradient_.view(), best_gradient_.view());
    std::swap(x_gradient_, best_gradient_);
    const double before = std::exchange(value_, end.value);
    ++iterations_;

    if (largest_gradient() <= config_.tolerance_grad) {
        return LbfgsStatus::kSmallGradient;
    }
    if (end.t * largest_absolute<T>(d_.view()) <= config_.tolerance_change ||
        std::abs(value_ - before) < config_.tolerance_change) {
        return LbfgsStatus::kSmallChange;
    }
    if (iterations_ >= config_.max_iter) return LbfgsStatus::kMaxIterations;
    if (evaluations_ >= config_.most_evaluations()) return LbfgsStatus::kMaxEvaluations;
    return next_iteration();
}

template <class T>
double LbfgsMinimizer<T>::slope_of(const Buffer<T>& gradient) const noexcept {
    return dot<T>(gradient.view(), d_.view());
}

template <class T>
double LbfgsMinimizer<T>::largest_gradient() const noexcept {
    return largest_absolute<T>(x_gradient_.view());
}

template class LbfgsMinimizer<float>;
template class LbfgsMinimizer<double>;

}  // namespace fastnn::optim
