"""The few lines that ``fit(..., diagnose=True)`` ends with when something is wrong."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from fastnn.diagnosis.driver import FIT_OPTIONS, TRAINER_OPTIONS, diagnose
from fastnn.errors import DivergedError
from fastnn.sequential import Sequential

__all__ = ["telling"]

_BUDGET = "10s"


@contextlib.contextmanager
def telling(
    net: Sequential, budget: Any, X: Any, y: Any, options: dict[str, Any]
) -> Iterator[None]:
    """Diagnose the fit that runs inside, from where it began, and print what matters.

    A fit that diverges is diagnosed as well, before its error goes on.
    """
    before = net.copy()
    known = {*inspect.signature(diagnose).parameters, *TRAINER_OPTIONS, *FIT_OPTIONS}
    told = {name: value for name, value in options.items() if name in known}
    told["epochs"] = options["epochs"]
    try:
        yield
    except DivergedError:
        _print(before, budget, X, y, told)
        raise
    _print(before, budget, X, y, told)


def _print(
    net: Sequential, budget: Any, X: Any, y: Any, options: dict[str, Any]
) -> None:
    report = diagnose(
        net,
        X,
        y,
        budget=_BUDGET if budget is True else budget,
        **{**options, "verbose": 0},
    )
    if lines := report.summary():
        sys.stdout.write(f"{lines}\n")
