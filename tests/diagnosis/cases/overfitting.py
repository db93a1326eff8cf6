"""Trainings that learn what does not hold for new rows."""

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
)
from diagnosis.cases.registry import case

Dense = fnn.Dense


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
def digits_sixty_rows_validated() -> Any:
    """Digits, 60 rows and 10^5 parameters, validated on a quarter of the set."""
    X, y, Xv, yv = split(*scaled("digits"))
    return arguments(
        net(Dense(256, "relu"), Dense(256, "relu"), Dense(10)),
        (X[:60], y[:60]),
        validation_data=(Xv, yv),
    )


@case("overfitting")
def cancer_sixty_rows_validated() -> Any:
    """Breast cancer, 60 rows and 10^5 parameters, validated on a quarter of the set."""
    X, y, Xv, yv = split(*scaled("breast_cancer"))
    return arguments(
        net(Dense(256, "relu"), Dense(256, "relu"), Dense(2)),
        (X[:60], y[:60]),
        validation_data=(Xv, yv),
    )


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
