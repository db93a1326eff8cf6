"""The way out of a saddle point: a line search along negative curvature."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Escape", "search"]

_MOST_DOUBLINGS = 40
_MOST_HALVINGS = 40
_GOLDEN_STEPS = 12  # narrow the bracket to 0.3 % of it
_GOLDEN = (math.sqrt(5) - 1) / 2


class Escape(NamedTuple):
    """What a walk along negative curvature did."""

    loss_before: float
    """Loss and penalties at the critical point."""
    loss_after: float
    """The same at the network's parameters now."""
    step: float
    """How far the parameters moved along the direction; negative: against it."""

    @property
    def before(self) -> float:
        """The same as `loss_before`."""
        return self.loss_before

    @property
    def after(self) -> float:
        """The same as `loss_after`."""
        return self.loss_after


def search(loss: Callable[[float], float], start: float, first: float) -> float:
    """Return a step, of either sign, that lowers the loss well; 0.0 if none does.

    Each side is tried at `first`, and nearer if that is no lower; then the step is
    doubled while the loss falls, and the bracket narrowed by golden sections.
    """
    best, step = start, 0.0
    for sign in (1.0, -1.0):
        found, value = _one_side(lambda t, sign=sign: loss(sign * t), start, first)  # type: ignore[misc]
        if value < best:
            best, step = value, sign * found
    return step


def _one_side(
    loss: Callable[[float], float], start: float, first: float
) -> tuple[float, float]:
    """Return the best step > 0 found and its loss; (0, start) if none is lower."""
    step, value = first, _number(loss(first))
    halvings = 0
    while not value < start:
        halvings += 1
        if halvings > _MOST_HALVINGS:
            return 0.0, start
        step /= 2
        value = _number(loss(step))
    low, high = 0.0, 2 * step
    for _ in range(_MOST_DOUBLINGS if halvings == 0 else 0):
        further = _number(loss(high))
        if not further < value:
            break
        low, step, value, high = step, high, further, 2 * high
    return _golden(loss, low, high, step, value)


def _golden(
    loss: Callable[[float], float], low: float, high: float, step: float, value: float
) -> tuple[float, float]:
    """Return the lowest point met while the bracket is narrowed, `step` included."""
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_a, at_b = _number(loss(a)), _number(loss(b))
    for _ in range(_GOLDEN_STEPS):
        for t, at_t in ((a, at_a), (b, at_b)):
            if at_t < value:
                step, value = t, at_t
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - _GOLDEN * (high - low)
            at_a = _number(loss(a))
        else:
            low, a, at_a = a, b, at_b
            b = low + _GOLDEN * (high - low)
            at_b = _number(loss(b))
    return step, value


def _number(value: float) -> float:
    """Count what is no number as the worst."""
    return math.inf if math.isnan(value) else value
