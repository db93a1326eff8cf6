"""`fastnn.reference`: the network in plain NumPy, whose products are its BLAS's."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.reference import MLP
from peers.case import Array, Weights
from peers.contender import MOMENTUM, Contender


class NumpyReference(Contender):
    """Threads are the BLAS's, set by the environment before NumPy was loaded."""

    def prepare(self) -> None:
        """Nothing: the arrays are NumPy's already."""

    def start(self, weights: Weights) -> None:
        layers: list[tuple[Any, ...]] = []
        for w, b in weights[:-1]:
            layers.append(("dense", w, b))
            if self.case.batchnorm:
                layers.append(("batchnorm", np.ones_like(b), np.zeros_like(b)))
            layers.append(("activation", "relu"))
            if self.case.dropout:
                layers.append(("dropout", self.case.dropout))
        layers.append(("dense", *weights[-1]))
        options: Any = {"momentum": MOMENTUM} if self.case.optimizer == "sgd" else {}
        self.net = MLP(
            layers,
            loss=self.case.loss,
            rule=self.case.optimizer,
            generator=self.rng,
            lr=self.case.lr,
            **options,
        )

    def step(self, X: Array, y: Array) -> float:
        return self.net.step(X, y)

    def epochs(self, n: int) -> None:
        X, y = self.split.X, self.split.y
        for _ in range(n):
            for rows in self.rng.permutation(len(X)).reshape(-1, self.case.batch):
                self.net.step(X[rows], y[rows])

    def predict(self, X: Array) -> Array:
        return self.net.predict(X)


CONTENDER = NumpyReference
