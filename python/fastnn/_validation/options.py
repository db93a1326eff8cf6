"""Hyper-parameters of a fit that are plain numbers and names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastnn._config import is_int, nearest, number, unknown_name, whole
from fastnn.losses import Loss

__all__ = [
    "METRICS",
    "check_bool",
    "check_dtype",
    "check_int",
    "check_metrics",
    "check_number",
    "check_positive_or_none",
    "check_threads",
]

METRICS: dict[str, tuple[str, ...]] = {
    "accuracy": ("classes", "labels"),
    "auc": ("classes", "labels"),
    "mae": ("values",),
    "r2": ("values",),
}
"""Every metric, and the kinds of target it is a measure for."""

_MAX_THREADS = 1024


def check_int(argument: str, value: Any, at_least: int, *, below: int = 2**63) -> int:
    """Return an integer >= `at_least` that C++ can hold."""
    if not is_int(value):
        raise TypeError(
            f"{argument} must be an integer >= {at_least}, got "
            f"{type(value).__name__} {value!r}"
        )
    if value < at_least:
        raise ValueError(f"{argument} must be >= {at_least}, got {value}")
    return whole(argument, value, below)


def check_bool(argument: str, value: object) -> bool:
    """Return True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{argument} must be True or False, got {type(value).__name__} {value!r}"
        )
    return bool(value)


def check_number(
    argument: str,
    value: Any,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return a finite number within the bounds."""
    given = number(argument, value)
    if math.isfinite(given) and given > above and at_least <= given < below:
        return given
    bounds = [
        text
        for text, bound in (
            (f"> {above:g}", above),
            (f">= {at_least:g}", at_least),
            (f"< {below:g}", below),
        )
        if math.isfinite(bound)
    ]
    raise ValueError(
        f"{argument} must be a finite number {' and '.join(bounds)}, got {value}"
    )


def check_positive_or_none(argument: str, value: object) -> float | None:
    """Return a finite number > 0, or None where there is to be no such limit."""
    return None if value is None else check_number(argument, value, above=0.0)


def check_threads(value: object) -> int:
    """Return n_threads as the engine takes it: 0 stands for automatic."""
    if value is None:
        return 0
    n_threads = check_int("n_threads", value, 1)
    if n_threads > _MAX_THREADS:
        raise ValueError(f"n_threads must be <= {_MAX_THREADS}, got {n_threads}")
    return n_threads


def check_dtype(value: object) -> str:
    """Return "float32" or "float64"."""
    known = ("float32", "float64")
    try:
        name = np.dtype(value).name if value is not None else None  # type: ignore[call-overload]
    except TypeError:
        name = None
    if name not in known:
        raise ValueError(
            f"dtype must be 'float32' or 'float64', got {value!r}"
            f"{nearest(value, known) if isinstance(value, str) else ''}"
        )
    return str(name)


def check_metrics(value: object, loss: Loss) -> list[str]:
    """Return the names of metrics, each of which suits the loss."""
    names: Any = (value,) if isinstance(value, str) else value
    if not isinstance(names, Iterable) or np.ndim(names) == 0:  # type: ignore[arg-type]
        raise TypeError(
            f"metrics must be a sequence of names, got {type(value).__name__}"
        )
    checked: list[str] = []
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"metrics must be names, got {type(name).__name__} {name!r}"
            )
        if name not in METRICS:
            raise unknown_name("metrics", name, METRICS)
        if loss.targets not in METRICS[name]:
            if loss.targets == "any":
                raise ValueError(
                    f"metrics: {name!r} needs to know what y holds: say so by loss="
                    "fastnn.losses.CustomLoss(function, targets='values') (or "
                    "'classes', 'labels')"
                )
            suited = [m for m, targets in METRICS.items() if loss.targets in targets]
            raise ValueError(
                f"metrics: {name!r} does not suit loss {loss.kind!r}; "
                f"{' and '.join(map(repr, suited))} do"
            )
        if name not in checked:
            checked.append(name)
    return checked
