"""What every contender can do: the protocol of the worker's questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from peers.case import Array, Case, Weights
from peers.datasets import Split

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, everybody's defaults
MOMENTUM = 0.9  # of "sgd"


class Contender(ABC):
    """A network in one library, trained as its users would for speed.

    Libraries are set to `threads` by the subclass, beside the environment and the
    affinity that the worker has set already.
    """

    def __init__(self, case: Case, split: Split, threads: int) -> None:
        self.case = case
        self.split = split
        self.threads = threads
        self.rng = np.random.default_rng(2)  # of the order of rows
        self.prepare()
        self.reset()

    def reset(self, seed: int = 0) -> None:
        """Return to initial weights and a fresh optimizer; what is compiled stays."""
        self.rng = np.random.default_rng(seed)
        self.start(self.case.weights(seed))

    def losses(self, steps: int = 4) -> list[float]:
        """Losses before each of some steps, each on a batch of its own: equal for all.

        Gradients that differ from step to step tell running means, and what weighs
        them, from the gradient alone.
        """
        whole = len(self.split.X) // self.case.batch
        begins = [i % whole * self.case.batch for i in range(steps)]
        batches = [slice(begin, begin + self.case.batch) for begin in begins]
        return [self.step(self.split.X[rows], self.split.y[rows]) for rows in batches]

    @abstractmethod
    def prepare(self) -> None:
        """Set threads, hand the data to the library."""

    @abstractmethod
    def start(self, weights: Weights) -> None:
        """Begin from these weights."""

    @abstractmethod
    def step(self, X: Array, y: Array) -> float:
        """Update once on a batch; return its loss before."""

    @abstractmethod
    def epochs(self, n: int) -> None:
        """Train n times on all rows, each in a new random order; wait for the end."""

    @abstractmethod
    def predict(self, X: Array) -> Array:
        """Raw outputs, or labels, of rows in inference mode."""

    def score(self) -> float:
        """Accuracy, or mean squared error, on the rows held back."""
        outputs = np.asarray(self.predict(self.split.X_test))
        y: Any = self.split.y_test
        if self.case.loss == "mse":
            return float(np.mean((outputs.reshape(y.shape) - y) ** 2))
        labels = outputs.argmax(axis=1) if outputs.ndim == 2 else outputs
        return float(np.mean(labels == y))
