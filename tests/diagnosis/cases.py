"""Trainings with a known cause of failure, and healthy ones: what `diagnose` must tell.

Each case is a function that returns what is passed to `diagnose`, under the verdict
that is right. Everything is seeded. ``bench/diagnosis_cases.py`` writes the table of
docs/diagnosis.md from them.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import fastnn as fnn
from fastnn import datasets

Dense = fnn.Dense


@dataclasses.dataclass(frozen=True)
class Case:
    """What is passed to `diagnose`, and what it must say."""

    name: str
    verdict: str
    make: Callable[[], dict[str, Any]]

    def diagnose(self, budget: str = "20s") -> fnn.Report:
        """Return the report on it."""
        return fnn.diagnose(**self.make(), budget=budget, verbose=0)


CASES: list[Case] = []


def case(verdict: str) -> Callable[[Callable[[], dict[str, Any]]], Any]:
    """Register a function as a case of this verdict."""

    def register(make: Callable[[], dict[str, Any]]) -> Any:
        name = (make.__doc__ or "").strip().rstrip(".")
        CASES.append(Case(name, verdict, make))
        return make

    return register


# -- data -----------------------------------------------------------------------------


def standardised(X: Any) -> Any:
    X = np.asarray(X, dtype=np.float64)
    return (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)


@functools.cache
def raw(name: str) -> tuple[Any, Any]:
    from sklearn import datasets as sklearn_datasets

    return getattr(sklearn_datasets, f"load_{name}")(return_X_y=True)


def scaled(name: str) -> tuple[Any, Any]:
    X, y = raw(name)
    return standardised(X), standardised(y) if name == "diabetes" else y


@functools.cache
def mnist(n: int = 2000) -> tuple[Any, Any]:
    X, y = datasets.load_mnist_5k()
    order = np.random.default_rng(0).permutation(len(X))[:n]
    return X[order] / 255.0 - 0.13, y[order]


def draw(seed: int, n: int, columns: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random, random.standard_normal((n, columns))


def circles(n: int = 1000, seed: int = 0) -> tuple[Any, Any]:
    _, X = draw(seed, n, 2)
    return X, ((X**2).sum(axis=1) > 1.4).astype(int)


def wave(n: int = 1000, seed: int = 0) -> tuple[Any, Any]:
    random, X = draw(seed, n, 1)
    return X, np.sin(4 * X[:, 0]) + 0.05 * random.standard_normal(n)


def split(X: Any, y: Any, seed: int = 0) -> tuple[Any, Any, Any, Any]:
    order = np.random.default_rng(seed).permutation(len(X))
    cut = len(X) * 3 // 4
    a, b = order[:cut], order[cut:]
    return X[a], y[a], X[b], y[b]


def net(*layers: Any, seed: int = 0) -> fnn.Sequential:
    return fnn.Sequential(*layers, seed=seed)


def arguments(network: fnn.Sequential, data: tuple[Any, Any], **more: Any) -> Any:
    return {"net": network, "X": data[0], "y": data[1], **more}


MSE: dict[str, Any] = {"loss": "mse"}


# -- healthy --------------------------------------------------------------------------


@case("healthy")
def digits_two_layers() -> Any:
    """Digits, 64-64 ReLU, Adam."""
    return arguments(
        net(Dense(64, "relu"), Dense(64, "relu"), Dense(10)), scaled("digits")
    )


@case("healthy")
def digits_dropout() -> Any:
    """Digits, BatchNorm and dropout, SGD with momentum."""
    layers = (Dense(64), fnn.BatchNorm(), fnn.ReLU(), fnn.Dropout(0.2), Dense(10))
    return arguments(
        net(*layers), scaled("digits"), optimizer=fnn.SGD(0.05, momentum=0.9)
    )


@case("healthy")
def digits_validated() -> Any:
    """Digits with validation rows of the same kind."""
    X, y, Xv, yv = split(*scaled("digits"))
    return arguments(
        net(Dense(64, "relu"), Dense(10)), (X, y), validation_data=(Xv, yv)
    )


@case("healthy")
def digits_trained() -> Any:
    """Digits, a network that was trained before."""
    X, y = scaled("digits")
    network = net(Dense(64, "tanh"), Dense(10))
    network.fit(X, y, epochs=20)
    return arguments(network, (X, y), epochs=10)


@case("healthy")
def cancer_small() -> Any:
    """Breast cancer, 16 units, weight penalty."""
    X, y = scaled("breast_cancer")
    return arguments(
        net(Dense(16, "relu"), Dense(1)),
        (X, y),
        loss="binary_cross_entropy",
        epochs=200,
        l2=1e-3,
    )


@case("healthy")
def wine_small() -> Any:
    """Wine, 16 units."""
    return arguments(
        net(Dense(16, "relu"), Dense(3)), scaled("wine"), epochs=500, l2=1e-3
    )


@case("healthy")
def diabetes_small() -> Any:
    """Diabetes, 8 units, weight penalty."""
    return arguments(
        net(Dense(8, "tanh"), Dense(1)), scaled("diabetes"), **MSE, epochs=200, l2=1e-2
    )


@case("healthy")
def mnist_one_layer() -> Any:
    """MNIST subset, 64 ReLU, 10 epochs."""
    return arguments(net(Dense(64, "relu"), Dense(10)), mnist(), epochs=10)


@case("healthy")
def circles_fit() -> Any:
    """Points inside and outside of a circle, 32 ReLU."""
    return arguments(net(Dense(32, "relu"), Dense(2)), circles())


@case("healthy")
def wave_fit() -> Any:
    """A sine with noise, 64-64 tanh."""
    return arguments(
        net(Dense(64, "tanh"), Dense(64, "tanh"), Dense(1)),
        wave(),
        **MSE,
        optimizer=fnn.Adam(3e-3),
    )


@case("healthy")
def linear_targets() -> Any:
    """Linear targets with noise, a linear network."""
    random, X = draw(1, 800, 10)
    y = X @ random.standard_normal(10) + 0.3 * random.standard_normal(800)
    return arguments(
        net(Dense(1)), (X, standardised(y)), **MSE, optimizer=fnn.SGD(0.05)
    )


@case("healthy")
def noisy_targets() -> Any:
    """Targets half of which is noise, an 8-unit network."""
    random, X = draw(2, 2000, 5)
    y = standardised(X[:, 0] + np.abs(X[:, 1])) + random.standard_normal(2000)
    return arguments(net(Dense(8, "relu"), Dense(1)), (X, y), **MSE, epochs=100)


@case("healthy")
def digits_smoothed() -> Any:
    """Digits, label smoothing of 0.3."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)),
        scaled("digits"),
        loss=fnn.CrossEntropy(label_smoothing=0.3),
    )


@case("healthy")
def digits_unused_rows() -> Any:
    """Digits, the first 200 rows of weight 0."""
    weight = np.ones(1797)
    weight[:200] = 0
    return arguments(
        net(Dense(64, "relu"), Dense(10)), scaled("digits"), sample_weight=weight
    )


@case("healthy")
def rare_events() -> Any:
    """A rare class, weighed by class_weight."""
    random, X = draw(7, 2000, 5)
    y = (random.random(2000) < 1 / (1 + np.exp(3.5 - X[:, 0]))).astype(int)
    return arguments(
        net(Dense(8, "relu"), Dense(1)),
        (X, y),
        loss="binary_cross_entropy",
        class_weight="balanced",
        l2=1e-2,
    )


@case("healthy")
def few_levels() -> Any:
    """Columns of ten levels, so that validation repeats training rows by chance."""
    random = np.random.default_rng(8)
    X, Xv = (random.integers(0, 10, (n, 3)) for n in (800, 200))
    data = [((a - 4.5) / 3, (a.sum(axis=1) > 13).astype(int)) for a in (X, Xv)]
    return arguments(net(Dense(32, "relu"), Dense(2)), data[0], validation_data=data[1])


@case("healthy")
def many_rows() -> Any:
    """150,000 rows, three epochs."""
    random, X = draw(9, 150_000, 20)
    both = X @ random.standard_normal((20, 2))
    return arguments(
        net(Dense(64, "relu"), Dense(2)),
        (X.astype(np.float32), (both[:, 0] * both[:, 1] > 0).astype(int)),
        epochs=3,
    )


# -- optimization ---------------------------------------------------------------------


@case("optimization")
def digits_penalised() -> Any:
    """Digits, an L2 penalty of 10."""
    return arguments(net(Dense(64, "relu"), Dense(10)), scaled("digits"), l2=10.0)


@case("optimization")
def digits_dropped() -> Any:
    """Digits, dropout of 0.95 after two layers."""
    layers = (Dense(64, "relu"), fnn.Dropout(0.95))
    return arguments(net(*layers, *layers, Dense(10)), scaled("digits"))


@case("optimization")
def digits_frozen() -> Any:
    """Digits, the first two layers frozen as drawn, 4 and 64 units."""
    network = net(Dense(4, "relu"), Dense(64, "relu"), Dense(10)).build(64)
    return arguments(network.freeze(0, 1), scaled("digits"))


@case("optimization")
def counts_zeros() -> Any:
    """Counts, Poisson loss, all weights 0."""
    random, X = draw(10, 2000, 5)
    y = random.poisson(np.exp(1 + 0.5 * X[:, 0] - 0.5 * np.abs(X[:, 1])))
    layers = (Dense(16, "tanh", init="zeros"), Dense(16, "tanh", init="zeros"))
    return arguments(net(*layers, Dense(1, init="zeros")), (X, y), loss="poisson")


def sigmoids(outputs: int, depth: int = 10) -> fnn.Sequential:
    return net(*(Dense(64, "sigmoid") for _ in range(depth)), Dense(outputs))


@case("optimization")
def digits_sigmoids() -> Any:
    """Digits, ten layers of sigmoids."""
    return arguments(sigmoids(10), scaled("digits"))


@case("optimization")
def wine_sigmoids() -> Any:
    """Wine, ten layers of sigmoids."""
    return arguments(sigmoids(3), scaled("wine"), optimizer=fnn.SGD(0.1))


@case("optimization")
def mnist_sigmoids() -> Any:
    """MNIST subset, twelve layers of sigmoids."""
    return arguments(sigmoids(10, 12), mnist())


def dead(outputs: int, width: int, features: int) -> fnn.Sequential:
    random = np.random.default_rng(0)
    W = random.standard_normal((width, features)) * np.sqrt(2 / features)
    return net(Dense(width, "relu", init=(W, np.full(width, -10.0))), Dense(outputs))


@case("optimization")
def digits_dead() -> Any:
    """Digits, ReLU with biases of -10."""
    return arguments(dead(10, 64, 64), scaled("digits"), optimizer=fnn.SGD(0.1))


@case("optimization")
def wine_dead() -> Any:
    """Wine, ReLU with biases of -10."""
    return arguments(dead(3, 32, 13), scaled("wine"))


@case("optimization")
def digits_slow() -> Any:
    """Digits, SGD at 1e-6."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), scaled("digits"), optimizer=fnn.SGD(1e-6)
    )


@case("optimization")
def diabetes_slow() -> Any:
    """Diabetes, Adam at 1e-6."""
    return arguments(
        net(Dense(16, "relu"), Dense(1)),
        scaled("diabetes"),
        **MSE,
        optimizer=fnn.Adam(1e-6),
        epochs=100,
    )


@case("optimization")
def mnist_slow() -> Any:
    """MNIST subset, SGD at 1e-5."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), mnist(), optimizer=fnn.SGD(1e-5)
    )


@case("optimization")
def digits_fast() -> Any:
    """Digits, SGD at 10."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)), scaled("digits"), optimizer=fnn.SGD(10.0)
    )


@case("optimization")
def cancer_fast() -> Any:
    """Breast cancer, SGD at 10 through two hidden layers."""
    return arguments(
        net(Dense(32, "relu"), Dense(32, "relu"), Dense(2)),
        scaled("breast_cancer"),
        optimizer=fnn.SGD(10.0),
        epochs=60,
    )


@case("optimization")
def digits_fast_adam() -> Any:
    """Digits, Adam at 1."""
    return arguments(
        net(Dense(64, "relu"), Dense(64, "relu"), Dense(10)),
        scaled("digits"),
        optimizer=fnn.Adam(1.0),
    )


@case("optimization")
def wave_fast() -> Any:
    """A sine, SGD at 10."""
    return arguments(
        net(Dense(32, "tanh"), Dense(1)), wave(), **MSE, optimizer=fnn.SGD(10.0)
    )


@case("optimization")
def digits_zeros() -> Any:
    """Digits, all weights 0."""
    layers = (Dense(64, "tanh", init="zeros"), Dense(10, init="zeros"))
    return arguments(net(*layers), scaled("digits"))


@case("optimization")
def circles_zeros() -> Any:
    """Points and a circle, all weights 0."""
    layers = (Dense(32, "tanh", init="zeros"), Dense(2, init="zeros"))
    return arguments(net(*layers), circles(), optimizer=fnn.SGD(0.1))


@case("optimization")
def cancer_far_off() -> Any:
    """Breast cancer, MSE after a sigmoid that starts at 1."""
    layers = (
        Dense(16, "tanh"),
        Dense(1, "sigmoid", init=(np.zeros((1, 16)), np.array([15.0]))),
    )
    X, y = scaled("breast_cancer")
    return arguments(net(*layers), (X, y.astype(float)), **MSE, optimizer=fnn.SGD(0.1))


@case("optimization")
def circles_far_off() -> Any:
    """Points and a circle, MSE after a sigmoid that starts at 0."""
    random = np.random.default_rng(3)
    layers = (
        Dense(32, "relu"),
        Dense(1, "sigmoid", init=(random.standard_normal((1, 32)) / 9, [-20.0])),
    )
    X, y = circles()
    return arguments(net(*layers), (X, y.astype(float)), **MSE, optimizer=fnn.SGD(0.1))


@case("optimization")
def digits_saturated() -> Any:
    """Digits, tanh with weights of spread 30."""
    random = np.random.default_rng(0)
    layers = [
        Dense(64, "tanh", init=(30 * random.standard_normal((64, 64)), np.zeros(64)))
        for _ in range(4)
    ]
    return arguments(net(*layers, Dense(10)), scaled("digits"), optimizer=fnn.SGD(0.01))


@case("optimization")
def mnist_deep() -> Any:
    """MNIST subset, forty plain layers of ReLU."""
    layers = [Dense(32, "relu") for _ in range(40)]
    return arguments(
        net(*layers, Dense(10)), mnist(), optimizer=fnn.SGD(0.01, momentum=0.9)
    )


# -- model bias -----------------------------------------------------------------------


@case("model_bias")
def digits_two_units() -> Any:
    """Digits, a hidden layer of 2 units."""
    return arguments(net(Dense(2, "relu"), Dense(10)), scaled("digits"))


@case("model_bias")
def mnist_two_units() -> Any:
    """MNIST subset, a hidden layer of 2 units."""
    return arguments(net(Dense(2, "tanh"), Dense(10)), mnist())


@case("model_bias")
def circles_linear() -> Any:
    """Points and a circle, a linear network."""
    return arguments(net(Dense(2)), circles(), optimizer=fnn.Adam(1e-2))


@case("model_bias")
def circles_one_unit() -> Any:
    """Points and a circle, one ReLU."""
    return arguments(net(Dense(1, "relu"), Dense(2)), circles())


@case("model_bias")
def wave_linear() -> Any:
    """A sine, a linear network."""
    return arguments(net(Dense(1)), wave(), **MSE, optimizer=fnn.Adam(1e-2))


@case("model_bias")
def xor_linear() -> Any:
    """The sign of a product, a linear network."""
    _, X = draw(4, 800, 4)
    return arguments(net(Dense(2)), (X, (X[:, 0] * X[:, 1] > 0).astype(int)))


# -- overfitting ----------------------------------------------------------------------


@case("overfitting")
def digits_shuffled() -> Any:
    """Digits, labels shuffled."""
    X, y = scaled("digits")
    return arguments(
        net(Dense(128, "relu"), Dense(10)), (X, np.random.default_rng(0).permutation(y))
    )


@case("overfitting")
def wine_shuffled() -> Any:
    """Wine, labels shuffled."""
    X, y = scaled("wine")
    return arguments(
        net(Dense(64, "relu"), Dense(3)), (X, np.random.default_rng(0).permutation(y))
    )


@case("overfitting")
def digits_sixty_rows() -> Any:
    """Digits, 60 rows and 10^5 parameters."""
    X, y = scaled("digits")
    some = np.random.default_rng(1).permutation(len(X))[:60]
    return arguments(
        net(Dense(256, "relu"), Dense(256, "relu"), Dense(10)), (X[some], y[some])
    )


@case("overfitting")
def mnist_sixty_rows() -> Any:
    """MNIST subset, 60 rows and 10^5 parameters."""
    X, y = mnist()
    return arguments(net(Dense(128, "relu"), Dense(10)), (X[:60], y[:60]))


@case("overfitting")
def diabetes_wide() -> Any:
    """Diabetes, 512 units, long."""
    return arguments(
        net(Dense(512, "relu"), Dense(1)), scaled("diabetes"), **MSE, epochs=500
    )


@case("overfitting")
def more_columns_than_rows() -> Any:
    """120 rows of 300 columns, of which 3 matter."""
    _, X = draw(5, 120, 300)
    y = standardised(X[:, :3].sum(axis=1))
    return arguments(net(Dense(64, "relu"), Dense(1)), (X, y), **MSE)


@case("overfitting")
def noisy_labels() -> Any:
    """Points and a circle, a third of the labels wrong, 256-256 units."""
    X, y = circles(600)
    random = np.random.default_rng(6)
    y = np.where(random.random(len(y)) < 0.33, 1 - y, y)
    return arguments(
        net(Dense(256, "relu"), Dense(256, "relu"), Dense(2)),
        (X, y),
        epochs=400,
        optimizer=fnn.Adam(3e-3),
    )


# -- mismatch -------------------------------------------------------------------------


@case("mismatch")
def digits_shifted() -> Any:
    """Digits, validation pictures two standard deviations brighter."""
    X, y, Xv, yv = split(*scaled("digits"))
    return arguments(
        net(Dense(64, "relu"), Dense(10)), (X, y), validation_data=(Xv + 2.0, yv)
    )


@case("mismatch")
def mnist_inverted() -> Any:
    """MNIST subset, validation pictures inverted."""
    X, y, Xv, yv = split(*mnist())
    return arguments(
        net(Dense(64, "relu"), Dense(10)),
        (X, y),
        validation_data=(0.74 - Xv, yv),
        epochs=15,
    )


@case("mismatch")
def mnist_moved() -> Any:
    """MNIST subset, validation pictures moved by five pixels."""
    X, y, Xv, yv = split(*mnist())
    moved = np.roll(Xv.reshape(-1, 28, 28), 5, axis=2).reshape(len(Xv), -1)
    return arguments(
        net(Dense(64, "relu"), Dense(10)),
        (X, y),
        validation_data=(moved, yv),
        epochs=15,
    )


@case("mismatch")
def wine_unscaled_validation() -> Any:
    """Wine, validation rows not standardised."""
    X, y = raw("wine")
    A, y, B, yv = split(X, y)
    A = standardised(A)
    return arguments(
        net(Dense(16, "relu"), Dense(3)),
        (A, y),
        validation_data=(B, yv),
        epochs=500,
        l2=1e-3,
    )


@case("mismatch")
def wave_elsewhere() -> Any:
    """A sine, validation rows from where training has none."""
    X, y = wave(2000)
    here = X[:, 0] < 0.4
    return arguments(
        net(Dense(64, "tanh"), Dense(64, "tanh"), Dense(1)),
        (X[here], y[here]),
        validation_data=(X[~here], y[~here]),
        **MSE,
        optimizer=fnn.Adam(3e-3),
    )


@case("mismatch")
def digits_other_labels() -> Any:
    """Digits, validation labels in another order than their rows."""
    X, y, Xv, yv = split(*scaled("digits"))
    return arguments(
        net(Dense(64, "relu"), Dense(10)), (X, y), validation_data=(Xv, yv[::-1].copy())
    )


# -- data -----------------------------------------------------------------------------


@case("data")
def cancer_unscaled() -> Any:
    """Breast cancer as it comes: columns from 0.001 to 4,000."""
    return arguments(
        net(Dense(32, "tanh"), Dense(2)), raw("breast_cancer"), optimizer=fnn.SGD(0.01)
    )


@case("data")
def wine_unscaled() -> Any:
    """Wine as it comes: columns from 0.1 to 1,700."""
    return arguments(
        net(Dense(32, "relu"), Dense(3)), raw("wine"), optimizer=fnn.SGD(0.01)
    )


@case("data")
def digits_pixels() -> Any:
    """Digits as pixels from 0 to 255."""
    X, y = raw("digits")
    return arguments(net(Dense(64, "relu"), Dense(10)), (X * 16.0, y), epochs=60)


@case("data")
def diabetes_targets() -> Any:
    """Diabetes, targets from 25 to 346."""
    X, _ = scaled("diabetes")
    return arguments(net(Dense(16, "tanh"), Dense(1)), (X, raw("diabetes")[1]), **MSE)


@case("data")
def digits_probabilities() -> Any:
    """Digits, outputs through a sigmoid before cross-entropy."""
    return arguments(net(Dense(64, "relu"), Dense(10, "sigmoid")), scaled("digits"))


@case("data")
def wine_probabilities() -> Any:
    """Wine, outputs through tanh before cross-entropy."""
    return arguments(net(Dense(32, "relu"), Dense(3), fnn.Tanh()), scaled("wine"))


@case("data")
def out_of_reach() -> Any:
    """Numbers from -3 to 3 behind a ReLU."""
    return arguments(
        net(Dense(32, "relu"), Dense(1, "relu")), scaled("diabetes"), **MSE
    )


@case("data")
def not_a_number() -> Any:
    """Wine with gaps (NaN) in two columns."""
    X, y = scaled("wine")
    X[::7, 3] = np.nan
    X[5, 8] = np.nan
    return arguments(net(Dense(16, "relu"), Dense(3)), (X, y))
