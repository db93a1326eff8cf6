"""A model on paper of a training step's time: what it does over what the machine can.

    t = sequential + sum over stages of (hand-over + longest thread)
    tile = sum over kinds of work of constant x amount / ceiling  +  foreign bytes

Amounts are the plan's (`step_plan`), ceilings are measured (`ceilings`), and the few
constants, each a multiple of what the ceiling alone would give, are fitted to the
calibration networks: all but one on one thread, the price of foreign bytes on two.
docs/performance.md has the formulas.
"""

from __future__ import annotations

import functools
import heapq
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import ceilings
import numpy as np
from scipy.optimize import (  # type: ignore[import-untyped]
    lsq_linear,
    minimize_scalar,
)
from step_plan import UPDATE_BYTES, Plan, Tile, Work, plan, threads_for

import fastnn as fnn
from fastnn import kernels

if TYPE_CHECKING:
    from scaling_cases import Net

# Kinds of work, and the least that its constant can be: 1 where the ceiling cannot be
# beaten. Those measured in nanoseconds an item have no ceiling.
KINDS = {
    "product": 1.0,  # of the FMA peak
    "update": 1.0,  # of Adam's kernel, in cache or at the stream's bandwidth
    "gather": 1.0,  # of the stream's bandwidth
    "weights": 0.0,  # of the stream's bandwidth
    "results": 0.0,  # ns each, as all that follow
    "activation": 0.0,
    "loss": 0.0,
    "rows": 0.0,
    "call": 0.0,
    "step": 0.0,
}


@dataclass(frozen=True)
class Machine:
    """The measured ceilings, for one core and, where cores meet, for two."""

    peak: float  # FLOP/s of a core
    update: float  # seconds of Adam for a parameter in cache
    stage: float  # seconds to hand a stage to a second thread
    stream: dict[int, float]  # bytes/s of a core, for each working set
    exchange: dict[int, float]  # the same for what the other core wrote last
    # What cannot be measured on few cores: the bytes/s that all have together.
    socket: float = math.inf

    def stream_of(self, part: float) -> float:
        """Return the bytes/s of a core that passes over so many bytes."""
        return _interpolated(self.stream, part)

    def shared_stream(self, part: float, threads: int) -> float:
        """Return the bytes/s of each of some cores, every one on bytes of its own."""
        each = self.stream_of(part)
        return each if part <= self.private else min(each, self.socket / threads)

    @functools.cached_property
    def private(self) -> int:
        """The bytes that a core's own caches hold: beyond them streams are slower."""
        near = 0.7 * self.stream[256 << 10]
        return max(size for size, rate in self.stream.items() if rate > near)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return {k: v for k, v in asdict(self).items() if k != "socket"}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Machine:
        """Return what `to_json` gave."""
        tables = {
            name: {int(size): rate for size, rate in content[name].items()}
            for name in ("stream", "exchange")
        }
        return cls(**{**content, **tables})


def measure_machine(threads: int, sizes: Sequence[int] = ceilings.SIZES) -> Machine:
    """Measure the ceilings with one thread and, where they meet, with two."""
    together = min(2, threads)
    exchange = {
        size: ceilings.exchange_bandwidth(together, size) / together
        for size in (sizes[::2] if together > 1 else ())
    }
    return Machine(
        peak=ceilings.fma_peak(1),
        update=_update_in_cache(),
        stage=ceilings.stage_latency(together),
        stream={size: ceilings.stream_bandwidth(1, size) for size in sizes},
        exchange=exchange,
    )


def _update_in_cache(n: int = 1 << 15) -> float:
    """Return the seconds a parameter of fastnn's Adam on arrays that stay in L2."""
    rng = np.random.default_rng(0)
    arrays = [rng.random(n, dtype=np.float32) for _ in range(4)]
    fnn.set_num_threads(1)
    seen = []
    for _ in range(200):
        start = time.perf_counter()
        for _ in range(10):
            kernels.adam_update(*arrays, step=10, lr=1e-6)
        seen.append((time.perf_counter() - start) / 10)
    fnn.set_num_threads(None)
    return statistics.median(seen) / n


@dataclass(frozen=True)
class Prediction:
    """The seconds of a step, and where those go that more threads do not share."""

    threads: int
    seconds: float
    sequential: float
    hand_over: float
    waiting: float  # of the mean thread for the longest: too few tiles, or uneven
    foreign: float  # of the mean thread for what other cores wrote


@dataclass(frozen=True)
class Model:
    """Ceilings, and the constants fitted to the calibration networks."""

    machine: Machine
    constants: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1))
    foreign: float = 1.0

    def predict(self, net: Net, allowed: int) -> Prediction:
        """Return what a step takes when so many threads are allowed."""
        threads = threads_for(net, allowed)
        step = plan(net, threads)
        sequential = self._seconds(step.sequential, net, step, threads)
        hand_over = waiting = foreign = working = 0.0
        for tiles in step.stages:
            own = [self._seconds(tile.work, net, step, threads) for tile in tiles]
            fetched = [self._fetch(tile, step, threads) for tile in tiles]
            costs = [a + b for a, b in zip(own, fetched, strict=True)]
            longest, mean = longest_thread(costs, threads), sum(costs) / threads
            hand_over += self.hand_over(threads)
            working += longest
            waiting += longest - mean
            foreign += sum(fetched) / threads
        seconds = sequential + hand_over + working
        return Prediction(threads, seconds, sequential, hand_over, waiting, foreign)

    def hand_over(self, threads: int) -> float:
        """Return a stage's hand-over: each thread touches one counter in turn."""
        return self.machine.stage * threads / 2 if threads > 1 else 0.0

    def amounts(self, net: Net) -> dict[str, float]:
        """Return the seconds on one thread of each kind of work at its ceiling."""
        step = plan(net, 1)
        parts = [tile.work for tiles in step.stages for tile in tiles]
        seconds = dict.fromkeys(KINDS, 0.0)
        for work in (*parts, step.sequential):
            for kind, amount in work.items():
                seconds[kind] += self._at_ceiling(kind, amount, net, step, 1)
        return seconds

    def _seconds(self, work: Work, net: Net, step: Plan, threads: int) -> float:
        return sum(
            self.constants[kind] * self._at_ceiling(kind, amount, net, step, threads)
            for kind, amount in work.items()
        )

    def _at_ceiling(
        self, kind: str, amount: float, net: Net, step: Plan, threads: int
    ) -> float:
        machine = self.machine
        if kind == "product":
            return amount / machine.peak
        # Each thread updates its share of the state but reads all weights.
        share = step.state / threads
        if kind == "update":
            # Computing and moving overlap in part: neither sum nor maximum.
            rate = machine.shared_stream(share, threads)
            return amount * math.hypot(machine.update, UPDATE_BYTES / rate)
        if kind == "weights":
            others = 4.0 * net.parameters * (1 - 1 / threads)
            return amount / machine.stream_of(share + others)
        if kind == "gather":
            data = 4.0 * net.samples * net.widths[0]
            return amount / machine.shared_stream(data, threads)
        return amount * 1e-9

    def _fetch(self, tile: Tile, step: Plan, threads: int) -> float:
        """Return how much longer foreign bytes take than a core's own."""
        if threads < 2 or not self.machine.exchange:
            return 0.0
        exchange = _interpolated(self.machine.exchange, step.working_set)
        # As between the two cores it was measured with. Bandwidths count each byte
        # twice, read and written.
        own = self.machine.stream_of(step.working_set / 2)
        longer = 2 * max(0.0, 1 / exchange - 1 / own)
        return self.foreign * tile.foreign * longer * (threads - 1) / threads


def fit(machine: Machine, measured: Mapping[Net, Mapping[int, float]]) -> Model:
    """Return the model whose predictions of these networks' seconds err least.

    Relative errors count, in least squares, with the bounds of `KINDS`.
    """
    base = Model(machine)
    times = np.array([seconds[1] for seconds in measured.values()])
    amounts = np.array([list(base.amounts(net).values()) for net in measured])
    bounds = (np.array(list(KINDS.values())), np.inf)
    found = lsq_linear(amounts / times[:, None], np.ones(len(times)), bounds=bounds)
    constants = dict(zip(KINDS, map(float, found.x), strict=True))
    return Model(machine, constants, _fit_foreign(machine, constants, measured))


def _fit_foreign(
    machine: Machine,
    constants: dict[str, float],
    measured: Mapping[Net, Mapping[int, float]],
) -> float:
    pairs = [(net, seconds[2]) for net, seconds in measured.items() if 2 in seconds]
    if not pairs:
        return 1.0

    def error(foreign: float) -> float:
        model = Model(machine, constants, foreign)
        logs = [math.log(model.predict(net, 2).seconds / t) for net, t in pairs]
        return sum(log * log for log in logs)

    return float(minimize_scalar(error, bounds=(1, 10), method="bounded").x)


def longest_thread(costs: Sequence[float], threads: int) -> float:
    """Return when the last thread is done if each takes the next tile when free."""
    busy = [0.0] * threads
    for cost in costs:
        heapq.heapreplace(busy, busy[0] + cost)
    return max(busy)


def _interpolated(table: Mapping[int, float], size: float) -> float:
    sizes = sorted(table)
    rates = [table[s] for s in sizes]
    return float(np.interp(math.log(max(size, 1)), np.log(sizes), rates))
