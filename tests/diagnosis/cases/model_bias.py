"""Networks too small for what the data ask for."""

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
    standardised,
    wave,
)
from diagnosis.cases.registry import case

Dense = fnn.Dense


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


@case("model_bias")
def zigzag_one_layer() -> Any:
    """A zigzag of eight teeth, one hidden layer of 16 ReLU."""
    X = np.random.default_rng(13).uniform(-1, 1, (2000, 1))
    y = np.abs(X[:, 0])
    for _ in range(3):
        y = np.abs(2 * y - 1)
    return arguments(
        net(Dense(16, "relu"), Dense(1)),
        (standardised(X), standardised(y)),
        **MSE,
        optimizer=fnn.Adam(1e-2),
        epochs=200,
    )
