"""The networks of the scaling study, and the time of their training steps."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from report import Sample, summary

import fastnn as fnn

_ROWS = 4096  # of a data set, unless a case says otherwise;
_STEPS = (4, 128)  # of its epoch then, at least and at most,
_FLOPS = 5e10  # and the most operations
_TURN = 0.05  # seconds of a fit, about


@dataclass(frozen=True)
class Net:
    """A multi-layer perceptron of ReLU units with a batch size and a data set."""

    widths: tuple[int, ...]
    batch: int
    rows: int = 0

    @property
    def label(self) -> str:
        """Return such as "784-128x3-10, batch 64"."""
        parts: list[str] = []
        for width in self.widths:
            last, _, times = parts[-1].partition("x") if parts else ("", "", "")
            if last == str(width):
                parts[-1] = f"{width}x{int(times or 1) + 1}"
            else:
                parts.append(str(width))
        data = f", {self.rows:,} rows" if self.rows else ""
        return f"{'-'.join(parts)}, batch {self.batch}{data}"

    @property
    def samples(self) -> int:
        """Return the rows of the data set: whole batches."""
        if self.rows:
            return self.batch * math.ceil(self.rows / self.batch)
        least, most = _STEPS
        steps = min(most, _ROWS // self.batch, int(_FLOPS / self.flops))
        return self.batch * max(least, steps)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Return inputs and units of each layer."""
        return tuple(pairwise(self.widths))

    @property
    def parameters(self) -> int:
        """Return the number of weights and biases."""
        return sum((inputs + 1) * units for inputs, units in self.layers)

    @property
    def flops(self) -> float:
        """Return the operations of a step's products.

        Forward, weight gradient, and input gradient but for the first layer, two for
        each weight and row.
        """
        products = sum(inputs * units for inputs, units in self.layers)
        first = self.widths[0] * self.widths[1]
        return 2.0 * self.batch * (3 * products - first)


TARGETS = (
    Net((30, 64, 32, 2), 32),
    Net((64, 128, 64, 10), 128),
    Net((784, 256, 128, 10), 128),
    Net((784, 1024, 1024, 10), 256),
    Net((1024, 2048, 2048, 2048, 100), 512),
)
SWEEPS: dict[str, tuple[Net, ...]] = {
    "networks": TARGETS,
    "batch": tuple(
        Net((784, 256, 128, 10), n) for n in (1, 4, 16, 32, 64, 128, 256, 512, 1024)
    ),
    "width": tuple(
        Net((64, *3 * [n], 10), 128) for n in (16, 32, 64, 128, 256, 512, 1024, 2048)
    ),
    "depth": tuple(Net((64, *n * [128], 10), 128) for n in (2, 4, 8, 16, 32)),
    "rows": tuple(Net((64, 128, 64, 10), 128, n) for n in (10**4, 10**5, 10**6)),
}
# Of these, on one thread, come the constants of the model: each makes another part of
# a step large. None of them is among the networks predicted.
CALIBRATION = (
    Net((16, 16, 4), 16),
    Net((32, *8 * [32], 8), 16),
    Net((100, 200, 100, 10), 64),
    Net((48, 96, 96, 5), 192),
    Net((320, 320, 320, 320), 320),
    Net((768, 768, 768, 20), 192),
    Net((1536, 1536, 1536, 40), 384),
    Net((2048, 16, 10), 128, 20_000),
    Net((64, 64, 1000), 128),
    Net((512, 512, 512, 16), 8),
    Net((1500, 1500, 1500, 10), 4),
    Net((200, *6 * [192], 12), 96),
    Net((256, 256, 10), 32),
    Net((96, *4 * [160], 10), 48),
    Net((1024, 640, 10), 64),
    Net((400, 100, 10), 256),
)
# For --quick: the same code on little work.
QUICK_CALIBRATION = tuple(net for net in CALIBRATION if net.parameters < 300_000)
QUICK_SWEEPS = {"networks": TARGETS[:3]}


def measure(net: Net, threads: tuple[int, ...], budget: float) -> dict[int, Sample]:
    """Return the seconds of a training step for each number of threads.

    Fits of a few epochs take turns; a step's time is that of its epoch, which includes
    the shuffle, divided by the steps. Each fit's first epoch warms the caches.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((net.samples, net.widths[0]), dtype=np.float32)
    y = rng.integers(0, net.widths[-1], net.samples)
    trainers = {n: _trainer(net) for n in threads}

    def epochs(n: int, count: int) -> list[float]:
        fnn.set_num_threads(n)
        fit = trainers[n].fit(X, y, epochs=count, batch_size=net.batch)
        return fit.history["seconds"][1:]

    seen: dict[int, list[float]] = {n: [] for n in threads}
    longest = max(epochs(n, 2)[0] for n in threads)
    count = 1 + max(1, min(50, round(_TURN / longest)))
    end = time.perf_counter() + budget
    try:
        while min(map(len, seen.values())) < 3 or time.perf_counter() < end:
            for n in threads:
                seen[n] += epochs(n, count)
    finally:
        fnn.set_num_threads(None)
    steps = net.samples // net.batch
    return {n: summary([t / steps for t in times]) for n, times in seen.items()}


def _trainer(net: Net) -> fnn.Trainer:
    hidden = [fnn.Dense(units, activation="relu") for units in net.widths[1:-1]]
    model = fnn.Sequential(*hidden, fnn.Dense(net.widths[-1]), seed=0)
    model.build(net.widths[0])
    return fnn.Trainer(model, optimizer=fnn.Adam(lr=1e-4))
