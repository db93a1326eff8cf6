"""fastnn: `Sequential.predict`, which checks its input at every call."""

from __future__ import annotations

from typing import Any

from peers.case import Array, Weights

import fastnn as fnn
from predictors.predictor import Predictor


class Fastnn(Predictor):
    """Threads are set once, as users do."""

    def build(self, weights: Weights) -> None:
        fnn.set_num_threads(self.threads)
        layers: list[Any] = []
        for w, b in weights:
            layers += [fnn.Dense(len(b), init=(w, b)), fnn.ReLU()]
        self.net = fnn.Sequential(*layers[:-1])
        self.net.build(self.case.widths[0])

    def predict(self, X: Array) -> Array:
        outputs: Array = self.net.predict(X)
        return outputs


CONTENDER = Fastnn
