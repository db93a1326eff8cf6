#include "fastnn/optim/wolfe_search.hpp"

#include <algorithm>
#include <cmath>

namespace fastnn::optim {
namespace {

// While no minimum is bracketed, the next step is this much longer at least and at
// most.
constexpr double kLeastGrowth = 0.01;  // of the last stride
constexpr double kMostGrowth = 10;     // times the last step

// Of a step where nothing is finite, until a shorter one is.
constexpr double kRetreat = 0.1;

// A division nearer to an end of the bracket than this part of its width creeps: twice
// in a row it is moved away.
constexpr double kMargin = 0.1;

// Where the cubic through two points with their slopes has its minimum, within bounds;
// their middle if it has none.
double cubic_minimum(LinePoint a, LinePoint b, double least, double most) {
    if (a.t > b.t) std::swap(a, b);
    const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t);
    const double square = d1 * d1 - a.slope * b.slope;
    if (!(square >= 0)) return (least + most) / 2;
    const double d2 = std::sqrt(square);
    const double t =
        b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
    return std::isfinite(t) ? std::clamp(t, least, most) : (least + most) / 2;
}

}  // namespace

void WolfeSearch::begin(double value,
                        double slope,
                        double first_step,
                        double narrowest) {
    start_ = low_ = {0, value, slope};
    high_known_ = true;
    bracketed_ = crept_ = false;
    step_ = first_step;
    narrowest_ = narrowest;
    evaluations_ = 0;
}

WolfeSearch::Outcome WolfeSearch::tell(double value, double slope) {
    ++evaluations_;
    const LinePoint point{step_, value, slope};
    const bool finite = std::isfinite(value) && std::isfinite(slope);
    return bracketed_ ? zoom(point, finite) : bracket(point, finite);
}

// Algorithm 3.5: longer steps until a minimum must lie behind.
WolfeSearch::Outcome WolfeSearch::bracket(const LinePoint& point, bool finite) {
    const LinePoint previous = low_;
    if (!finite || too_high(point) ||
        (evaluations_ > 1 && point.value >= previous.value)) {
        high_ = point;
        high_known_ = finite;
        bracketed_ = true;
        return divide();
    }
    low_ = point;
    if (is_flat(point)) return Outcome::kAccepted;
    if (point.slope >= 0) {
        high_ = previous;
        bracketed_ = true;
        return divide();
    }
    if (evaluations_ == kMostEvaluations) return Outcome::kUnbounded;
    const double least = point.t + kLeastGrowth * (point.t - previous.t);
    return go_to(cubic_minimum(previous, point, least, kMostGrowth * point.t));
}

// Algorithm 3.6: of the bracket's parts the one that holds a point to accept.
WolfeSearch::Outcome WolfeSearch::zoom(const LinePoint& point, bool finite) {
    if (!finite || too_high(point) || point.value >= low_.value) {
        high_ = point;
        high_known_ = finite;
        return divide();
    }
    const LinePoint previous = low_;
    low_ = point;
    if (is_flat(point)) return Outcome::kAccepted;
    if (point.slope * (high_.t - previous.t) >= 0) {
        high_ = previous;
        high_known_ = true;
    }
    return divide();
}

WolfeSearch::Outcome WolfeSearch::divide() {
    const double least = std::min(low_.t, high_.t);
    const double most = std::max(low_.t, high_.t);
    const double width = most - least;
    const int granted = low_.t > 0 ? kMostEvaluations : kMostBeforeLower;
    if (evaluations_ >= granted || !(width > narrowest_)) return Outcome::kExhausted;
    if (!high_known_) return go_to(least + (least > 0 ? 0.5 : kRetreat) * width);

    double t = cubic_minimum(low_, high_, least, most);
    if (std::min(most - t, t - least) < kMargin * width) {
        if (crept_ || t >= most || t <= least) {
            t = most - t < t - least ? most - kMargin * width : least + kMargin * width;
            crept_ = false;
        } else {
            crept_ = true;
        }
    } else {
        crept_ = false;
    }
    return go_to(t);
}

// An end of the bracket once more: between them is no other number.
WolfeSearch::Outcome WolfeSearch::go_to(double t) {
    if (bracketed_ && (t == low_.t || t == high_.t)) return Outcome::kExhausted;
    step_ = t;
    return Outcome::kMore;
}

bool WolfeSearch::too_high(const LinePoint& point) const noexcept {
    return point.value > start_.value + kSufficientDecrease * point.t * start_.slope;
}

bool WolfeSearch::is_flat(const LinePoint& point) const noexcept {
    return std::abs(point.slope) <= -kCurvature * start_.slope;
}

}  // namespace fastnn::optim
