"""Estimators whose hidden layers are of every kind."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import fastnn as fnn
from engine.problems import MORE, bits

LAYERS = {
    "prelu": [fnn.Dense(12), fnn.PReLU(per_unit=True)],
    "maxout": [fnn.Maxout(10), fnn.Maxout(8, 3)],
    "weight norm": [fnn.Dense(12, "relu", weight_norm=True)],
    "dropconnect": [fnn.Dense(20, "relu", dropconnect=0.2)],
    "self-normalizing": [fnn.Dense(16, "selu"), fnn.AlphaDropout(0.05)],
    "noise": [fnn.GaussianNoise(0.1), fnn.Dense(12, "tanh"), fnn.RMSNorm()],
    "more": list(MORE[:-1]),
}
OPTIONS = {"max_iter": 60, "learning_rate_init": 0.02, "random_state": 0, "tol": 0.0}


@pytest.fixture(name="data")
def rings(rng):
    """Two classes that no line tells apart."""
    X = rng.normal(size=(300, 2))
    return X, (np.linalg.norm(X, axis=1) > 1.2).astype(int)


@pytest.mark.filterwarnings("ignore:.*had not converged yet")
@pytest.mark.parametrize("name", LAYERS)
def test_a_classifier_learns_and_travels(data, name):
    X, y = data
    model = fnn.MLPClassifier(layers=LAYERS[name], **OPTIONS)
    model.fit(X, y)
    assert model.score(X, y) > 0.9
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(model.predict_proba(X), twin.predict_proba(X))
    again = clone(model).fit(X, y)
    assert bits(again.net_) == bits(model.net_)
    model.partial_fit(X, y)
    assert bits(again.net_) != bits(model.net_)


@pytest.mark.filterwarnings("ignore:.*had not converged yet")
def test_weights_that_are_made_of_others_are_read_only(data):
    X, y = data
    model = fnn.MLPClassifier(layers=LAYERS["weight norm"], **OPTIONS).fit(X, y)
    first, last = model.coefs_
    hidden = np.maximum(X @ first + model.intercepts_[0], 0)
    np.testing.assert_allclose(hidden, model.net_.hidden(X, 0), atol=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        model.coefs_[0] = np.zeros_like(first)
    last[...] = 0.0  # a view, as ever
    assert not model.net_.state_dict()["1.weight"].any()


def test_several_quantiles_are_for_networks(data):
    X, y = data
    model = fnn.MLPRegressor(loss=fnn.Quantile((0.1, 0.9)))
    with pytest.raises(ValueError, match=r"several q.*Sequential.*each q"):
        model.fit(X, y.astype(float))
