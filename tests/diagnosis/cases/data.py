"""Rows, or outputs, that are in the way of any training."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastnn as fnn
from diagnosis.cases.made_of import (
    MSE,
    arguments,
    net,
    raw,
    scaled,
    split,
)
from diagnosis.cases.registry import case

Dense = fnn.Dense


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


@case("data")
def wine_of_one_year() -> Any:
    """Wine, a column that is 2015 in every row."""
    X, y = scaled("wine")
    X = np.column_stack([X, np.full(len(X), 2015.0)])
    return arguments(
        net(Dense(16, "relu"), Dense(3)), (X, y), optimizer=fnn.SGD(0.01), epochs=300
    )


@case("data")
def digits_seen_before() -> Any:
    """Digits, half of the validation rows are training rows."""
    X, y, Xv, yv = split(*scaled("digits"))
    validation = np.vstack([X[: len(Xv)], Xv]), np.concatenate([y[: len(yv)], yv])
    return arguments(
        net(Dense(64, "relu"), Dense(10)), (X, y), validation_data=validation
    )
