"""Augmentation as a parameter of the estimators."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import fastnn as fnn
from fastnn import augment as a

AUGMENT = [a.Flip(shape=(2, 3)), a.Noise(0.1), a.Mixup()]


@pytest.mark.parametrize("estimator", [fnn.MLPClassifier, fnn.MLPRegressor])
def test_estimators(rng, estimator):
    X, y = rng.normal(size=(60, 6)), rng.integers(0, 3, size=60)
    options = {"hidden_layer_sizes": (8,), "random_state": 0}
    options |= {"tol": 1e9, "n_iter_no_change": 3}  # over after a few epochs
    plain = estimator(**options).fit(X, y)
    model = clone(estimator(**options, augment=AUGMENT)).fit(X, y)
    assert model.get_params()["augment"] == AUGMENT
    assert not np.array_equal(model.coefs_[0], plain.coefs_[0])
    again = pickle.loads(pickle.dumps(model))  # noqa: S301  (our own)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.partial_fit(X, y)


def test_errors(rng):
    X, y = rng.normal(size=(60, 6)), rng.integers(0, 3, size=60)
    for options, words in (
        ({"augment": a.Flip()}, "shape=.height"),
        ({"augment": a.Flip(shape=(2, 2))}, "2 x 2 = 4"),
        ({"augment": a.Noise(0.1), "solver": "lbfgs"}, "augment must be None"),
    ):
        with pytest.raises(ValueError, match=words):
            fnn.MLPClassifier(**options).fit(X, y)
    with pytest.raises(TypeError, match=r"augment\[0\]"):
        fnn.MLPClassifier(augment=["flip"]).fit(X, y)
