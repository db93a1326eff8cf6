"""A training step beside the NumPy network's: 784-256-128-10 with relu and Adam.

What is timed is an epoch of `STEPS` steps as users run them, `Trainer.fit` against the
same steps of `fastnn.reference.MLP`: rows in a random order gathered into batches,
forward, loss, backward, update.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from report import Sample, time_in_turns

import fastnn as fnn
from fastnn.reference import MLP

WIDTHS = (784, 256, 128, 10)
BATCH = 128
STEPS = 40


def weights(dtype: type) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(0)
    return [
        (
            (rng.standard_normal((n, m)) * np.sqrt(2 / m)).astype(dtype),
            np.zeros(n, dtype),
        )
        for m, n in pairwise(WIDTHS)
    ]


def numpy_network(dtype: type) -> MLP:
    layers: list[tuple[Any, ...]] = []
    for w, b in weights(dtype):
        layers += [("dense", w, b), ("activation", "relu")]
    return MLP(layers[:-1], lr=1e-3)


def fastnn_trainer(dtype: type) -> fnn.Trainer:
    layers: list[Any] = []
    for w, b in weights(dtype):
        layers += [fnn.Dense(len(b), init=(w, b)), fnn.ReLU()]
    net = fnn.Sequential(*layers[:-1], dtype=np.dtype(dtype).name)
    net.build(WIDTHS[0])
    return fnn.Trainer(net, loss="cross_entropy", optimizer=fnn.Adam(lr=1e-3))


def training_step(
    dtype: type, *, budget: float
) -> tuple[Sample, Sample, dict[str, Any]]:
    """Compare the losses of five steps, then time epochs in turns.

    Returns both timings of a step and its shape and rate.
    """
    rng = np.random.default_rng(1)
    X = rng.standard_normal((STEPS * BATCH, WIDTHS[0])).astype(dtype)
    y = rng.integers(0, WIDTHS[-1], len(X))
    trainer, network = fastnn_trainer(dtype), numpy_network(dtype)
    for _ in range(5):
        ours = trainer.step(X[:BATCH], y[:BATCH])
        theirs = network.step(X[:BATCH], y[:BATCH])
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)

    def fastnn_epoch() -> None:
        trainer.fit(X, y, epochs=1, batch_size=BATCH)

    def numpy_epoch() -> None:
        for rows in rng.permutation(len(X)).reshape(STEPS, BATCH):
            network.step(X[rows], y[rows])

    epochs = time_in_turns((fastnn_epoch, numpy_epoch), budget=budget, rest=0.1)
    samples = [Sample(e.median / STEPS, e.low / STEPS, e.high / STEPS) for e in epochs]
    products = sum(m * n for m, n in pairwise(WIDTHS))
    # forward, and backward for weights and inputs but those of the first layer
    flops = 2.0 * BATCH * (3 * products - WIDTHS[0] * WIDTHS[1])
    shape = {
        "shape": [BATCH, *WIDTHS],
        "rate": flops / samples[0].median / 1e9,
        "unit": "GFLOP/s",
    }
    return samples[0], samples[1], shape
