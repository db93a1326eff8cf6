"""fastnn, through what its users call: `Trainer.fit`."""

from __future__ import annotations

from typing import Any

import fastnn as fnn
from peers.case import Array, Weights
from peers.contender import MOMENTUM, Contender


class Fastnn(Contender):
    """Each call checks X and y anew; each epoch is shuffled and its loss recorded."""

    def prepare(self) -> None:
        """Nothing: the environment says how many threads there are at most."""

    def start(self, weights: Weights) -> None:
        layers: list[Any] = []
        for w, b in weights[:-1]:
            layers.append(fnn.Dense(len(b), init=(w, b)))
            if self.case.batchnorm:
                layers.append(fnn.BatchNorm())
            layers.append(fnn.ReLU())
            if self.case.dropout:
                layers.append(fnn.Dropout(self.case.dropout))
        w, b = weights[-1]
        layers.append(fnn.Dense(len(b), init=(w, b)))
        seed = int(self.rng.integers(2**31))
        self.net = fnn.Sequential(*layers, dtype=self.case.dtype, seed=seed)
        self.net.build(self.case.widths[0])
        self.trainer = fnn.Trainer(
            self.net,
            loss=self.case.loss,
            optimizer=self._optimizer(),
        )

    def _optimizer(self) -> fnn.Adam | fnn.SGD:
        if self.case.optimizer == "adam":
            return fnn.Adam(lr=self.case.lr)
        return fnn.SGD(lr=self.case.lr, momentum=MOMENTUM)

    def step(self, X: Array, y: Array) -> float:
        return self.trainer.step(X, y)

    def epochs(self, n: int) -> None:
        batch = self.case.batch
        self.trainer.fit(self.split.X, self.split.y, epochs=n, batch_size=batch)

    def predict(self, X: Array) -> Array:
        outputs: Array = self.net.predict(X)
        return outputs


CONTENDER = Fastnn
