"""What a probe is made of: rows, how the user trains, and what a training came to."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.diagnosis import thresholds as at
from fastnn.losses import Loss
from fastnn.optim import Optimizer
from fastnn.schedules.several import GivenSchedule
from fastnn.sequential import Sequential

__all__ = ["Ending", "Rows", "Run", "Setup", "split_off"]

Array = npt.NDArray[Any]

_MOST_HELD = 5000


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows: features, targets, weights."""

    X: Array
    y: Array
    weight: Array | None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, index: Array) -> Rows:
        """Return some of them."""
        weight = None if self.weight is None else self.weight[index]
        return Rows(self.X[index], self.y[index], weight)

    def with_X(self, X: Array) -> Rows:  # noqa: N802
        """Return the same targets for other features."""
        return dataclasses.replace(self, X=X)

    def with_y(self, y: Array) -> Rows:
        """Return other targets for the same features."""
        return dataclasses.replace(self, y=y)


def split_off(rows: Rows, random: np.random.Generator) -> tuple[Rows, Rows]:
    """Return rows to train on, and a fifth held out; equal rows stay together."""
    numbers: dict[bytes, int] = {}
    keys = (row.tobytes() for row in np.ascontiguousarray(rows.X))
    group = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    order = random.permutation(len(numbers))
    wanted = max(1, min(len(rows) // 5, _MOST_HELD))
    sizes = np.cumsum(np.bincount(group)[order])
    held = np.isin(group, order[: max(1, int(np.searchsorted(sizes, wanted)) + 1)])
    if held.all():  # all rows are equal, or nearly so
        held = np.arange(len(rows)) < wanted
    return rows.take(np.flatnonzero(~held)), rows.take(np.flatnonzero(held))


@dataclasses.dataclass(frozen=True)
class Setup:
    """How the user trains."""

    loss: Loss
    optimizer: Optimizer
    schedule: GivenSchedule | None
    batch_size: int
    epochs: int | None
    trainer: dict[str, Any]  # penalties, clipping, threads
    class_weight: Any
    fit: dict[str, Any]  # early stopping, augmentation


@dataclasses.dataclass(frozen=True)
class Ending:
    """What the last step of a training was made with."""

    settings: dict[str, float]  # the epoch's logs: lr, and what else had a schedule
    step: int
    slots: dict[str, Array]  # of the optimizer


@dataclasses.dataclass(frozen=True)
class Run:
    """A training that was tried. Losses are shares of the trivial one's."""

    name: str
    net: Sequential
    train: float  # share on the rows trained on, at the end
    held: float  # share on rows held out, at the end
    best_held: float  # at its best epoch
    curve: list[float]  # training share by epoch
    held_curve: list[float]
    epochs: int
    seconds: float
    diverged: bool
    ending: Ending | None = None  # where it was asked for

    @property
    def still(self) -> bool:
        """Whether its last quarter is next to no lower than the one before.

        By medians: one that leaps about passes by low losses without coming closer.
        """
        part = len(self.curve) // 4
        if part == 0:
            return True
        before, last = self.curve[-2 * part : -part], self.curve[-part:]
        return float(np.median(before) - np.median(last)) < at.STILL

    @property
    def told(self) -> dict[str, float]:
        """What evidence says of it."""
        return {"training": self.train, "held_out_at_best": self.best_held}
