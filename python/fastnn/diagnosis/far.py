"""Trainings that go as far as they can, by L-BFGS: of small or linear models."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any

from fastnn.callbacks import EpochInfo
from fastnn.diagnosis.trial import Rows, Run
from fastnn.errors import DivergedError
from fastnn.losses import Loss
from fastnn.optim import LBFGS
from fastnn.sequential import Sequential

if TYPE_CHECKING:
    from fastnn.diagnosis.lab import Lab

__all__ = ["linear_run", "train_far"]


def train_far(
    net: Sequential,
    loss: Loss,
    rows: Rows,
    *,
    epochs: int,
    end: float = math.inf,
    held: tuple[Any, ...] | None = None,
    curve: list[tuple[float, float]] | None = None,
) -> None:
    """Train until `epochs` or the time `end`; `curve` takes the losses by epoch."""

    def watch(info: EpochInfo) -> bool:
        if curve is not None:
            curve.append((info.logs["loss"], info.logs["val_loss"]))
        return time.perf_counter() > end

    with contextlib.suppress(DivergedError):
        net.fit(
            rows.X,
            rows.y,
            loss=loss,
            sample_weight=rows.weight,
            optimizer=LBFGS(max_iter=1),
            epochs=epochs,
            validation_data=held,
            callbacks=[watch],
        )


def linear_run(lab: Lab, net: Sequential) -> Run:
    """Train a linear model as well as can be, and keep its best epoch."""
    lab.say("a linear model")
    start = time.perf_counter()
    curve: list[tuple[float, float]] = []
    train_far(
        net,
        lab.setup.loss,
        lab.train,
        epochs=150,
        end=start + lab.slice,
        held=(lab.held.X, lab.held.y, lab.held.weight),
        curve=curve,
    )
    held_curve = [lab.share(value) for _, value in curve]
    at_end = lab.share(lab.loss_of(net, lab.held))
    return Run(
        name="linear model",
        net=net,
        train=lab.share(lab.loss_of(net, lab.train)),
        held=at_end,
        best_held=min([at_end, *held_curve]),
        curve=[lab.share(loss) for loss, _ in curve],
        held_curve=held_curve,
        epochs=len(curve),
        seconds=time.perf_counter() - start,
        diverged=False,
    )
