"""scikit-learn's MLPClassifier and MLPRegressor: an epoch is a `partial_fit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from peers.case import Array, Weights
from peers.contender import MOMENTUM, Contender


class _Given:
    """Lets a network begin from given weights; scikit-learn stores them (in, out)."""

    given: Iterator[tuple[Array, Array]]

    def _init_coef(self, *_: object) -> tuple[Array, Array]:
        w, b = next(self.given)
        return np.ascontiguousarray(w.T), b.copy()


class _Classifier(_Given, MLPClassifier):  # type: ignore[misc]
    pass


class _Regressor(_Given, MLPRegressor):  # type: ignore[misc]
    pass


def _one_logit(weights: Weights) -> Weights:
    """Two classes have one output here, whose sigmoid is the softmax's second part."""
    w, b = weights[-1]
    return [*weights[:-1], (w[1:] - w[:1], b[1:] - b[:1])]


class SklearnMlp(Contender):
    """Its own loop, no penalty, no early stopping, which `partial_fit` has none of.

    Threads are the BLAS's, set by the environment before NumPy was loaded.
    """

    def prepare(self) -> None:
        if self.case.batchnorm or self.case.dropout:
            raise ValueError("scikit-learn has neither batch normalisation nor dropout")

    def start(self, weights: Weights) -> None:
        kind = _Regressor if self.case.loss == "mse" else _Classifier
        self.net = kind(
            hidden_layer_sizes=self.case.hidden,
            solver=self.case.optimizer,
            alpha=0.0,
            batch_size=self.case.batch,
            learning_rate_init=self.case.lr,
            momentum=MOMENTUM,
            nesterovs_momentum=False,
            random_state=np.random.RandomState(int(self.rng.integers(2**31))),
        )
        self.net.given = iter(_one_logit(weights) if self._binary else weights)

    @property
    def _binary(self) -> bool:
        return self.case.loss == "cross_entropy" and self.case.widths[-1] == 2

    def losses(self, steps: int = 4) -> list[float]:
        """After a step only SGD's is everybody's.

        Here Adam's epsilon is added before the bias is corrected, and two classes
        are one logit.
        """
        same = self.case.optimizer == "sgd" and not self._binary
        return super().losses(steps if same else 1)

    def _train(self, X: Array, y: Array) -> None:
        if self.case.loss == "mse":
            self.net.partial_fit(X, y.ravel())
        else:
            self.net.partial_fit(X, y, classes=np.arange(self.case.widths[-1]))

    def step(self, X: Array, y: Array) -> float:
        self._train(X, y)
        # Its squared error is half of everybody else's, which Adam does not notice.
        return float(self.net.loss_) * (2 if self.case.loss == "mse" else 1)

    def epochs(self, n: int) -> None:
        for _ in range(n):
            self._train(self.split.X, self.split.y)

    def predict(self, X: Array) -> Array:
        found: Any = self.net.predict(X)
        return np.asarray(found)


CONTENDER = SklearnMlp
