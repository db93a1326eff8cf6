"""A small fit for callbacks to watch."""

import numpy as np
import pytest

import fastnn as fnn


@pytest.fixture
def fit():
    """Return a function that fits a network, a new one unless it is given."""
    X = np.linspace(-1, 1, 40)[:, None]

    def run(*callbacks, net=None, **options):
        net = fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(1)) if net is None else net
        options = {"loss": "mse", "epochs": 4, "validation_split": 0.25, **options}
        return net.fit(X, X**2, callbacks=callbacks, **options)

    return run


@pytest.fixture
def info():
    """Return a function that makes what a callback is told."""
    net = fnn.Sequential(fnn.Dense(1)).build(1)

    def make(epoch, net=net, **logs):
        return fnn.EpochInfo(epoch, logs, net, trainer=None)

    return make
