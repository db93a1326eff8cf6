"""Metrics against scikit-learn's."""

import numpy as np
import pytest
import scipy.special
from sklearn import metrics

import fastnn as fnn
from engine.problems import features

ROWS = 83


def _identity(columns, dtype="float64"):
    """Return a network whose outputs are its inputs."""
    return fnn.Sequential(fnn.Identity(), dtype=dtype).build(columns)


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.fixture(params=["plain", "ties"])
def logits(request, rng):
    """Return a function from a width to outputs, perhaps with many equal scores."""

    def draw(columns):
        z = features(rng, ROWS, columns)
        return z[rng.integers(0, 20, ROWS)] if request.param == "ties" else z

    return draw


@pytest.fixture(params=[None, "real", "some zero"], ids=str)
def weight(request, rng):
    if request.param is None:
        return None
    w = rng.uniform(0.1, 3.0, size=ROWS)
    return w * (rng.random(ROWS) < 0.7) if request.param == "some zero" else w


@pytest.mark.parametrize("k", [2, 3, 7])
def test_classes(logits, weight, rng, k):
    Z, y = logits(k), rng.integers(0, k, size=ROWS)
    report = _identity(k).evaluate(
        Z, y, loss="cross_entropy", metrics=["accuracy", "auc"], sample_weight=weight
    )
    P = _softmax(Z)
    right = metrics.accuracy_score(y, Z.argmax(axis=1), sample_weight=weight)
    assert report["accuracy"] == pytest.approx(right, rel=1e-12)
    # scikit-learn weights the curves of three classes and more, one against the rest
    score = P[:, 1] if k == 2 else P
    area = metrics.roc_auc_score(y, score, multi_class="ovr", sample_weight=weight)
    assert report["auc"] == pytest.approx(area, rel=1e-9)
    loss = metrics.log_loss(y, P, labels=range(k), sample_weight=weight)
    assert report["loss"] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("outputs", [1, 4])
def test_labels(logits, weight, rng, outputs):
    Z = logits(outputs)
    Y = rng.integers(0, 2, size=(ROWS, outputs))
    report = _identity(outputs).evaluate(
        Z,
        Y,
        loss="binary_cross_entropy",
        metrics=["accuracy", "auc"],
        sample_weight=weight,
    )
    area = metrics.roc_auc_score(Y, Z, average="macro", sample_weight=weight)
    assert report["auc"] == pytest.approx(area, rel=1e-12)
    hits = [
        metrics.accuracy_score(Y[:, j], Z[:, j] > 0, sample_weight=weight)
        for j in range(outputs)
    ]
    assert report["accuracy"] == pytest.approx(np.mean(hits), rel=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_numbers(weight, rng, outputs):
    Z, Y = features(rng, ROWS, outputs), features(rng, ROWS, outputs)
    report = _identity(outputs).evaluate(
        Z, Y, loss="mse", metrics=["mae", "r2"], sample_weight=weight
    )
    wanted = {
        "loss": metrics.mean_squared_error(Y, Z, sample_weight=weight),
        "mae": metrics.mean_absolute_error(Y, Z, sample_weight=weight),
        "r2": metrics.r2_score(Y, Z, sample_weight=weight),
    }
    assert report == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_counts(weight, rng, outputs):
    """Scores are of the rates, exp(outputs); the loss is half the deviance."""
    Z, Y = features(rng, ROWS, outputs), rng.poisson(2.0, size=(ROWS, outputs))
    report = _identity(outputs).evaluate(
        Z, Y, loss="poisson", metrics=["mae", "r2"], sample_weight=weight
    )
    rates = np.exp(Z)
    w = np.ones(ROWS) if weight is None else weight
    deviance = [
        metrics.mean_poisson_deviance(Y[:, j], rates[:, j], sample_weight=weight)
        for j in range(outputs)
    ]
    of_y_alone = np.average(scipy.special.xlogy(Y, Y) - Y, axis=0, weights=w).mean()
    wanted = {
        "loss": np.mean(deviance) / 2 - of_y_alone,
        "mae": metrics.mean_absolute_error(Y, rates, sample_weight=weight),
        "r2": metrics.r2_score(Y, rates, sample_weight=weight),
    }
    assert report == pytest.approx(wanted, rel=1e-11)


def test_r2_of_constant_targets_is_scikit_learns(rng):
    Y = np.full((ROWS, 1), 2.0)
    for Z in (Y, features(rng, ROWS, 1)):
        report = _identity(1).evaluate(Z, Y, loss="mse", metrics=["r2"])
        assert report["r2"] == metrics.r2_score(Y, Z)


def test_the_first_of_equal_outputs_wins_as_by_argmax():
    report = _identity(3).evaluate(
        [[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]],
        [0, 2],
        loss="cross_entropy",
        metrics=["accuracy"],
    )
    assert report["accuracy"] == 0.5


def test_auc_without_one_of_the_classes_is_nan():
    report = _identity(1).evaluate(
        [[1.0], [2.0]], [[1.0], [1.0]], loss="binary_cross_entropy", metrics=["auc"]
    )
    assert np.isnan(report["auc"])


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_metrics_of_a_fit_are_those_of_evaluate(rng, loss):
    """With lr = 0 the curves of training are those of the finished network."""
    X = features(rng, ROWS)
    names = ["accuracy", "auc"] if loss == "cross_entropy" else ["mae", "r2"]
    y = rng.integers(0, 3, ROWS) if loss == "cross_entropy" else features(rng, ROWS, 3)
    w = rng.uniform(0.1, 2.0, size=ROWS)
    net = fnn.Sequential(fnn.Dense(8, "tanh"), fnn.Dense(3), dtype="float64")
    history = net.fit(
        X,
        y,
        loss=loss,
        sample_weight=w,
        optimizer=fnn.SGD(lr=0.0),
        metrics=names,
        validation_data=(X[:31], y[:31], w[:31]),
        epochs=2,
        batch_size=9,
    )
    whole = net.evaluate(X, y, sample_weight=w, metrics=names)
    part = net.evaluate(X[:31], y[:31], sample_weight=w[:31], metrics=names)
    for name in ("loss", *names):
        assert history.history[name] == pytest.approx([whole[name]] * 2, rel=1e-12)
        assert history.history[f"val_{name}"] == [part[name]] * 2
