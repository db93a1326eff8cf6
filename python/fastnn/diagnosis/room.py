"""How many rows a budget has room for: what an epoch takes, measured."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import numpy as np

from fastnn.errors import DivergedError
from fastnn.trainer import Trainer

if TYPE_CHECKING:
    from fastnn.diagnosis.lab import Lab

__all__ = ["PROBES", "affordable_rows", "epoch_seconds", "seconds_a_row"]

PROBES = 14  # trainings that a budget should have room for, about
_SHARE = 0.8  # of the budget for them
_FEW = 1000
_TIMINGS, _SHORT = 20, 0.05  # at most so many, in so many seconds
_LEAST_EPOCHS = 4  # that a probe has time for


def seconds_a_row(lab: Lab) -> float:
    """Return what one more row costs an epoch: from epochs over few and more."""
    few = min(len(lab.train), _FEW)
    more = min(len(lab.train), 4 * few)
    part = epoch_seconds(lab, rows=few)
    if more < 2 * few or part * more / few > lab.slice:
        return part / few
    whole = epoch_seconds(lab, rows=more)
    return max((whole - part) / (more - few), whole / more / 10)


def epoch_seconds(lab: Lab, *, rows: int, batch_size: int | None = None) -> float:
    """Return what an epoch over some rows takes, the fastest of two; of more if short.

    What else runs on the machine makes short ones many times as long.
    """
    some = lab.train.take(np.arange(rows))
    trainer = Trainer(
        lab.net.copy(),
        loss=lab.setup.loss,
        optimizer=lab.setup.optimizer,
        **lab.setup.trainer,
    )
    size = lab.setup.batch_size if batch_size is None else batch_size
    times: list[float] = []
    while len(times) < 2 or (len(times) < _TIMINGS and sum(times) < _SHORT):
        start = time.perf_counter()
        with contextlib.suppress(DivergedError):
            trainer.fit(some.X, some.y, epochs=1, batch_size=size)
        times.append(time.perf_counter() - start)
        if sum(times) > lab.slice:
            break
    return min(times)


def affordable_rows(lab: Lab) -> int:
    """Return how many rows leave time for all probes; not fewer than a thousand."""
    room = lab.clock.budget * _SHARE / PROBES
    # Of small batches a probe takes as many steps on fewer rows: only epochs, which
    # a training can be ended after, must be short.
    epochs = lab.epochs if lab.steps_an_epoch == 1 else _LEAST_EPOCHS
    return max(int(room / lab.seconds_a_row / epochs), _FEW)
