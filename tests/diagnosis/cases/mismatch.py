"""Validation rows that are not like the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastnn as fnn
from diagnosis.cases.made_of import (
    MSE,
    arguments,
    draw,
    mnist,
    net,
    raw,
    scaled,
    split,
    standardised,
    wave,
)
from diagnosis.cases.registry import case

Dense = fnn.Dense


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


@case("mismatch")
def rare_becomes_common() -> Any:
    """Two classes 9 to 1 in training, 1 to 9 in validation."""
    random, X = draw(17, 4000, 4)
    y = (random.random(4000) < 1 / (1 + np.exp(-0.5 * X[:, 0]))).astype(int)
    often = np.where(y == 0, 0.9, 0.1)
    train = random.random(4000) < often
    return arguments(
        net(Dense(8, "relu"), Dense(2)),
        (X[train], y[train]),
        validation_data=(X[~train], y[~train]),
        l2=1e-2,
        epochs=60,
    )
