"""scikit-learn: an `MLPRegressor`, whose `predict` gives raw outputs."""

from __future__ import annotations

import warnings

import numpy as np
from peers.case import Array, Weights
from sklearn.neural_network import MLPRegressor

from predictors.predictor import Predictor


class SklearnMlp(Predictor):
    """Fitted to two rows for its shapes, then given the weights, stored (in, out).

    Threads are the BLAS's, set by the environment before NumPy was loaded.
    """

    def build(self, weights: Weights) -> None:
        self.net = MLPRegressor(hidden_layer_sizes=self.case.hidden, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged, to be sure
            self.net.fit(self.X[:2], np.zeros((2, self.case.widths[-1]), np.float32))
        self.net.coefs_ = [np.ascontiguousarray(w.T) for w, _ in weights]
        self.net.intercepts_ = [b for _, b in weights]

    def predict(self, X: Array) -> Array:
        outputs: Array = self.net.predict(X)
        return outputs


CONTENDER = SklearnMlp
