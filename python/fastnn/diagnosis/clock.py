"""The time a diagnosis may take, and how much of it is left."""

from __future__ import annotations

import re
import time

from fastnn._config import number

__all__ = ["Clock", "budget_seconds"]

_BUDGET = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(s|sec|seconds|m|min|minutes)?\s*")


def budget_seconds(value: object) -> float:
    """Return the seconds of ``"30s"``, ``"2min"`` or a number of seconds."""
    seconds = None
    if isinstance(value, str):
        if match := _BUDGET.fullmatch(value):
            unit = 60.0 if (match[2] or "s").startswith("m") else 1.0
            seconds = float(match[1]) * unit
    else:
        seconds = number("budget", value)
    if seconds is None or not 0 < seconds < float("inf"):
        raise ValueError(
            'budget must be a time such as "30s" or "2min", or seconds > 0, got '
            f"{value!r}"
        )
    return seconds


class Clock:
    """Counts down from a budget."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self._start = time.perf_counter()

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    @property
    def left(self) -> float:
        """Seconds left, not below 0."""
        return max(0.0, self.budget - self.passed)
