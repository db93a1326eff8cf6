"""What cases are made of: rows, networks, arguments."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import fastnn as fnn
from fastnn import datasets


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
