// A line search for a step t > 0 along a descent direction d, by values and slopes of
//   phi(t) = f(x + t d),   phi'(t) = d' grad f(x + t d),
// that meets the strong Wolfe conditions
//   phi(t) <= phi(0) + c1 t phi'(0)    (the value falls enough)
//   |phi'(t)| <= c2 |phi'(0)|          (the slope has flattened)
// Nocedal and Wright (2006), Numerical Optimization, algorithms 3.5 and 3.6; steps by
// the cubic through two points (their equation 3.59), kept away from what is known.
//
// It asks and is told: whoever owns f evaluates it at step() and tells the outcome.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn::optim {

// A step along the line, with the value and the slope there.
struct LinePoint {
    double t = 0;
    double value = 0;
    double slope = 0;
};

class WolfeSearch {
public:
    static constexpr double kSufficientDecrease = 1e-4;  // c1
    static constexpr double kCurvature = 0.9;            // c2
    static constexpr int kMostEvaluations = 25;
    static constexpr int kMostBeforeLower = 60;  // while nothing lower is known

    // Phi and its slope at 0, which must be negative; the first step to try; and the
    // width of a bracket that is not worth dividing.
    void begin(double value, double slope, double first_step, double narrowest);

    double step() const noexcept { return step_; }

    // kExhausted: no step meets both conditions within the evaluations that are
    // granted, or within the narrowest bracket. kUnbounded: so it was, the value
    // falling all along.
    enum class Outcome { kMore, kAccepted, kExhausted, kUnbounded };
    // Takes phi at step(). What is not finite counts as a value too high.
    Outcome tell(double value, double slope);

    // The lowest point so far that meets the first condition, t = 0 if none does. The
    // accepted one, once there is one.
    const LinePoint& best() const noexcept { return low_; }

private:
    Outcome bracket(const LinePoint& point, bool finite);
    Outcome zoom(const LinePoint& point, bool finite);
    Outcome divide();
    Outcome go_to(double t);
    bool too_high(const LinePoint& point) const noexcept;
    bool is_flat(const LinePoint& point) const noexcept;

    LinePoint start_;
    LinePoint low_;           // the better end of the bracket, once there is one
    LinePoint high_;          // its other end
    bool high_known_ = true;  // whether that has a finite value and slope
    bool bracketed_ = false;
    bool crept_ = false;  // whether the last division hardly moved from an end
    double step_ = 0;
    double narrowest_ = 0;
    int evaluations_ = 0;
};

}  // namespace fastnn::optim
