"""Averages of the weights along a run, which often do better than the last weights."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, TypeAlias

from fastnn._config import Config
from fastnn.schedules import ReduceOnPlateau, Schedule

__all__ = ["AVERAGES", "EMA", "SWA", "Averaging"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class EMA(Config):
    """Average the weights after every step, exponentially or all alike.

    After the first step of a fit the average is the weights; after each later one

        average <- average + (1 - decay) * (weights - average)

    where ``1 / steps so far`` stands for ``1 - decay`` if `decay` is None: the mean of
    all iterates, the averaging of Polyak and Juditsky. The running statistics of
    BatchNorm are averaged likewise. Whatever looks at the network sees the averages:
    validation, early stopping and its best weights, ``info.net`` of callbacks (what
    they write there is written to the averages), checkpoints. Training itself goes on
    with the weights. However the fit ends, by Ctrl-C or divergence as well, the network
    holds averages: those of the last finished step, of the best epoch if early stopping
    restores it, of the last finite epoch. A further fit starts from them, and a new
    average.

    Parameters
    ----------
    decay : float or None, default 0.999
        In [0, 1). An average over about ``1 / (1 - decay)`` steps: fits of few steps
        want less, such as 0.99. 0 averages nothing. None: the mean of all steps of the
        fit, for runs that begin near their goal.

    Raises
    ------
    ValueError
        A `decay` out of range.

    Notes
    -----
    torch's ``AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay),
    use_buffers=True)``, updated after every step. Keras' ``EMA(momentum)``, but Keras
    starts from the initial weights and validates with the weights.

    References
    ----------
    Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1))
    >>> history = net.fit(X, X, loss="mse", epochs=20, callbacks=[fnn.EMA(0.99)])
    """

    kind: ClassVar[str] = "ema"
    decay: float | None = 0.999

    def _check_ranges(self) -> None:
        if self.decay is not None and not 0 <= self.decay < 1:
            raise ValueError(
                f"decay must be >= 0 and < 1, got {self.decay} (None averages all "
                "steps alike)"
            )

    def for_fit(self, epochs: int) -> dict[str, Any]:
        """Return what the engine reads for a fit of so many epochs."""
        del epochs
        return self.to_native()


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SWA(Config):
    """Average the weights at the ends of the last epochs, with equal weight.

    At the end of each epoch from `start` on, the weights go into the average. When the
    fit ends by its epochs, by early stopping or by a callback, the network gets the
    average, and the running statistics of BatchNorm are computed anew in a pass over
    the training rows: in order, in training mode, the mean over the batches. During the
    fit validation and callbacks see the weights themselves. If the fit ends before
    `start`, by Ctrl-C, an error or divergence, the network keeps its weights.

    Parameters
    ----------
    start : int or float
        The first epoch that is averaged, counted from 0 within the fit, or the part of
        the epochs, in (0, 1), that passes before: of 20 epochs 0.75 averages the last
        5.
    schedule : Schedule, optional
        The learning rate from `start` on, its epochs and steps counted from there, on
        the optimizer's own rate. None: the trainer's schedule goes on. A high, constant
        or cyclic rate makes averaging worth while.

    Raises
    ------
    TypeError, ValueError
        A setting of the wrong type or out of range; a `ReduceOnPlateau`.

    Notes
    -----
    torch's ``AveragedModel`` and ``update_bn``; torch's ``SWALR`` is a `Linear` or
    `Cosine` here. Masks of dropout are drawn in the last pass, as ``update_bn`` does.
    With ``EarlyStopping(restore_best_weights=True)`` it contradicts itself.

    References
    ----------
    Izmailov et al. (2018), Averaging weights leads to wider optima and better
    generalization, arXiv:1803.05407.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1))
    >>> history = net.fit(X, X, loss="mse", epochs=20, callbacks=[fnn.SWA(0.75)])
    """

    kind: ClassVar[str] = "swa"
    start: int | float
    schedule: Schedule | None = None

    def _check_ranges(self) -> None:
        if isinstance(self.start, int):
            if self.start < 0:
                raise ValueError(f"start must be >= 0, got {self.start}")
        elif not 0 < self.start < 1:
            raise ValueError(
                "start must be an integer, the first epoch to average, or a part of "
                f"the epochs in (0, 1), got {self.start}"
            )
        if self.schedule is not None and not isinstance(self.schedule, Schedule):
            raise TypeError(
                "SWA: schedule must be a schedule such as fastnn.Cosine(5), or None, "
                f"got {type(self.schedule).__name__} {self.schedule!r}"
            )
        if self.schedule is not None and self.schedule.kind == ReduceOnPlateau.kind:
            raise ValueError(
                "schedule must count epochs or steps, got a ReduceOnPlateau, which "
                "watches the run: give that to the trainer"
            )

    def for_fit(self, epochs: int) -> dict[str, Any]:
        """Return what the engine reads for a fit of so many epochs."""
        start = self.start
        if not isinstance(start, int):
            start = min(int(start * epochs), epochs - 1)
        schedule = None if self.schedule is None else self.schedule.to_native()
        return {"kind": self.kind, "start": start, "schedule": schedule}


Averaging: TypeAlias = EMA | SWA

AVERAGES: dict[str, type[Config]] = {rule.kind: rule for rule in (EMA, SWA)}
"""The averages by name."""
