"""Sparse rows in every other way to train: the bits of the same rows written out."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, curves
from fastnn.trainer import Trainer
from sparse_rows.matrices import explicit_zeros, sparse


def _squares(outputs, y):
    return ((outputs - y) ** 2).sum(axis=1), 2 * (outputs - y)


# name -> (arguments of Trainer, arguments of Trainer.fit)
WAYS = {
    "lbfgs": ({"optimizer": fnn.LBFGS(max_iter=3)}, {"batch_size": 50}),
    "ema": ({"optimizer": "adam"}, {"callbacks": [fnn.EMA(0.9)]}),
    "swa": ({"optimizer": "sgd"}, {"callbacks": [fnn.SWA(1)]}),
    "callable": ({"loss": _squares}, {}),
    "clipped": ({"clip_norm": 0.1, "l1": 1e-3, "max_norm": 1.0}, {}),
    "stopping": (
        {"schedule": fnn.ReduceOnPlateau(patience=0)},
        {"validation_split": 0.3, "early_stopping": fnn.EarlyStopping(patience=1)},
    ),
}


def _fit(X, y, way, dtype, **changes):
    settings, options = WAYS[way]
    net = fnn.Sequential(
        fnn.Dense(12, "tanh"), fnn.BatchNorm(), fnn.Dense(2), dtype=dtype
    )
    trainer = Trainer(net, **{"loss": "mse", **settings})
    history = trainer.fit(X, y, epochs=4, **{"batch_size": 24, **options, **changes})
    return bits(net), curves(history)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
def test_as_on_dense_rows(rng, way, dtype):
    X, y = explicit_zeros(sparse(rng, 130, 300)), rng.normal(size=(130, 2))
    assert _fit(X, y, way, dtype) == _fit(X.toarray(), y, way, dtype)


def test_resumed(rng, tmp_path):
    """The checkpoint knows sparse data again, and other data from it."""
    X, y = sparse(rng, 60, 40), rng.normal(size=(60, 2))
    path = tmp_path / "run.fnn"
    expected = _fit(X, y, "clipped", "float32")

    def interrupt(info):
        if info.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fit(X, y, "clipped", "float32", checkpoint=path, callbacks=[interrupt])
    trainer = Trainer.resume(path)
    other = X.copy()
    other.data[0] += 1
    with pytest.raises(ValueError, match="X"):
        trainer.fit(other, y, epochs=4, batch_size=24)
    history = trainer.fit(X, y, epochs=4, batch_size=24)
    assert (bits(trainer.net), curves(history)) == expected


def test_estimators(rng):
    X, y = sparse(rng, 80, 50), np.array(["no", "yes"])[rng.integers(0, 2, size=80)]
    pairs = [
        fnn.MLPClassifier((8,), random_state=0).partial_fit(
            data, y, classes=["no", "yes"]
        )
        for data in (X, X.toarray())
    ]
    np.testing.assert_array_equal(
        pairs[0].predict_proba(X), pairs[1].predict_proba(X.toarray())
    )
