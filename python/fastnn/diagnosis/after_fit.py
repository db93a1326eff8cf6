"""The few lines that ``fit(..., diagnose=True)`` ends with when something is wrong."""

from __future__ import annotations

import contextlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from fastnn.diagnosis.clock import budget_seconds
from fastnn.diagnosis.driver import FIT_OPTIONS, TRAINER_OPTIONS, diagnose
from fastnn.errors import DivergedError
from fastnn.sequential import Sequential

__all__ = ["telling"]

_BUDGET = "10s"


@contextlib.contextmanager
def telling(given: dict[str, Any]) -> Iterator[None]:
    """Diagnose the fit that runs inside, from where it began, and print what matters.

    `given` are the arguments of `Sequential.fit`, the network among them as "self". A
    fit that diverges is diagnosed as well, before its error goes on.
    """
    budget = budget_seconds(_BUDGET if given["diagnose"] is True else given["diagnose"])
    before: Sequential = given["self"].copy()
    try:
        yield
    except DivergedError:
        _tell(before, given, budget)
        raise
    _tell(before, given, budget)


def _tell(net: Sequential, given: dict[str, Any], budget: float) -> None:
    known = {*inspect.signature(diagnose).parameters, *TRAINER_OPTIONS, *FIT_OPTIONS}
    arguments = {name: value for name, value in given.items() if name in known}
    arguments |= {"net": net, "budget": budget, "verbose": 0}
    try:
        told = diagnose(**arguments)
    except Exception as error:  # noqa: BLE001  (the fit is done, and must not be lost)
        warnings.warn(f"the diagnosis after the fit failed: {error}", stacklevel=4)
        return
    if lines := told.summary():
        sys.stdout.write(f"{lines}\n")
