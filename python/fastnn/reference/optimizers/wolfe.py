"""A line search that meets the strong Wolfe conditions."""

from __future__ import annotations

from math import inf, isfinite, nan, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
MOST_EVALUATIONS = 25
MOST_BEFORE_LOWER = 60


class LinePoint(NamedTuple):
    """A step `t` along a line, with the value and the slope there."""

    t: float
    value: float
    slope: float


def wolfe_search(
    phi: Callable[[float], tuple[float, float]],
    value: float,
    slope: float,
    first_step: float,
    narrowest: float = 0.0,
) -> LinePoint:
    """Find a step t > 0 where ``phi`` has fallen enough and its slope has flattened.

    The strong Wolfe conditions::

        phi(t) <= phi(0) + c1 t phi'(0),    c1 = 1e-4
        |phi'(t)| <= c2 |phi'(0)|,          c2 = 0.9

    Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6. A step
    where phi is not finite counts as one too high.

    Parameters
    ----------
    phi : callable
        ``phi(t) -> (value, slope)``
    value, slope : float
        phi(0) and phi'(0) < 0.
    first_step : float
        Where to begin.
    narrowest : float
        A bracket of this width is not worth dividing.

    Returns
    -------
    LinePoint
        The step that meets both conditions; where 25 evaluations do not find one, the
        lowest that meets the first; where 60 find none such either, t = 0.

    Examples
    --------
    >>> from fastnn.reference.optimizers.wolfe import wolfe_search
    >>> wolfe_search(lambda t: ((t - 2) ** 2, 2 * (t - 2)), 4.0, -4.0, 0.5)
    LinePoint(t=0.5, value=2.25, slope=-3.0)
    >>> wolfe_search(lambda t: ((t - 2) ** 2, 2 * (t - 2)), 4.0, -4.0, 5.0)
    LinePoint(t=2.0, value=0.0, slope=0.0)
    """
    start = LinePoint(0.0, value, slope)

    def too_high(p: LinePoint) -> bool:
        return not isfinite(p.value + p.slope) or (
            p.value > start.value + SUFFICIENT_DECREASE * p.t * start.slope
        )

    def is_flat(p: LinePoint) -> bool:
        return abs(p.slope) <= -CURVATURE * start.slope

    # Longer steps until a minimum must lie between `low` and `high`.
    low, t = start, first_step
    for evaluation in range(1, MOST_EVALUATIONS + 1):
        point = LinePoint(t, *phi(t))
        if too_high(point) or (evaluation > 1 and point.value >= low.value):
            high = point
            break
        if is_flat(point):
            return point
        low, previous = point, low
        if point.slope >= 0:
            high = previous
            break
        least = point.t + 0.01 * (point.t - previous.t)
        t = cubic_minimum(previous, point, least, 10 * point.t)
    else:
        return low

    # Divide the bracket and keep the part that holds a point to accept.
    crept = False
    while abs(high.t - low.t) > narrowest:
        if evaluation >= (MOST_EVALUATIONS if low.t > 0 else MOST_BEFORE_LOWER):
            break
        t, crept = division(low, high, crept)
        if t in (low.t, high.t):
            break
        point = LinePoint(t, *phi(t))
        evaluation += 1
        if too_high(point) or point.value >= low.value:
            high = point
        else:
            if is_flat(point):
                return point
            if point.slope * (high.t - low.t) >= 0:
                high = low
            low = point
    return low


def division(low: LinePoint, high: LinePoint, crept: bool) -> tuple[float, bool]:
    """Return where to divide the bracket, and whether that creeps along an end.

    An end nearer than a tenth of the width may be taken once, not twice in a row.
    Towards an end that is not finite, half way; from the start on, a tenth.
    """
    least, most = sorted((low.t, high.t))
    width = most - least
    if not isfinite(high.value + high.slope):
        return least + (0.5 if least > 0 else 0.1) * width, crept
    t = cubic_minimum(low, high, least, most)
    if min(most - t, t - least) >= 0.1 * width:
        return t, False
    if not (crept or t >= most or t <= least):
        return t, True
    near_most = most - t < t - least
    return (most - 0.1 * width if near_most else least + 0.1 * width), False


def cubic_minimum(a: LinePoint, b: LinePoint, least: float, most: float) -> float:
    """Return where the cubic through two points with slopes has its minimum.

    Clipped to [least, most]; the middle if the cubic has no minimum. Nocedal and
    Wright, equation 3.59.
    """
    a, b = sorted((a, b))
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    d2 = sqrt(square) if square >= 0 else nan
    divisor = b.slope - a.slope + 2 * d2
    part = (b.slope + d2 - d1) / divisor if divisor != 0 else inf
    t = b.t - (b.t - a.t) * part
    return min(max(t, least), most) if isfinite(t) else (least + most) / 2
