"""Trainings that nothing is wrong with."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastnn as fnn
from diagnosis.cases.made_of import (
    MSE,
    arguments,
    circles,
    draw,
    mnist,
    net,
    scaled,
    split,
    standardised,
    wave,
)
from diagnosis.cases.registry import case

Dense = fnn.Dense


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


@case("healthy")
def digits_single_rows() -> Any:
    """Digits, batches of a single row, a rate that suits them."""
    return arguments(
        net(Dense(64, "relu"), Dense(10)),
        scaled("digits"),
        optimizer=fnn.SGD(0.003),
        batch_size=1,
        epochs=10,
    )
