"""What every predictor can do: rows of a NumPy array in, raw outputs of one out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from peers.case import Array, Case, Weights
from peers.datasets import Split

SHOWN = 32  # rows of outputs to compare, spread over all


class Predictor(ABC):
    """A network of dense layers with relu between them, in inference mode.

    Each call takes a NumPy array and returns one, as an application has and wants them.
    """

    def __init__(self, case: Case, split: Split, threads: int) -> None:
        self.case = case
        self.X = split.X
        self.threads = threads
        self.build(case.weights())

    @abstractmethod
    def build(self, weights: Weights) -> None:
        """Make the network with these weights, and set the library's threads."""

    @abstractmethod
    def predict(self, X: Array) -> Array:
        """Return the raw outputs of rows."""

    def outputs(self, rows: int) -> list[list[float]]:
        """Return some of the outputs for the first rows, to be compared."""
        shown = np.linspace(0, rows - 1, min(rows, SHOWN)).astype(int)
        outputs: list[list[float]] = self.predict(self.X[:rows])[shown].tolist()
        return outputs

    def run(self, rows: int, calls: int) -> None:
        """Predict the first rows again and again; this is what is timed."""
        X = self.X[:rows]
        for _ in range(calls):
            self.predict(X)
