"""Rates that fall with time: StepDecay, MultiStep, Exponential, InverseTime."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

from fastnn.schedules.base import PureSchedule

__all__ = ["Exponential", "InverseTime", "MultiStep", "StepDecay"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StepDecay(PureSchedule):
    """Multiply the rate by `gamma` every so often: ``lr gamma^floor(t / step_size)``.

    Parameters
    ----------
    step_size : int
        Epochs (or steps) between two decays, >= 1.
    gamma : float, default 0.1
        > 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `StepLR`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> round(fnn.StepDecay(10).at(25, lr=1.0), 6)
    0.01
    """

    kind: ClassVar[str] = "step_decay"

    step_size: int
    gamma: float = 0.1


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MultiStep(PureSchedule):
    """Multiply the rate by `gamma` at each milestone.

    Parameters
    ----------
    milestones : sequence of int
        Increasing, each >= 1: the first epochs (or steps) with the lower rate.
    gamma : float, default 0.1
        > 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        No milestone, milestones that do not increase, a setting out of range.

    Notes
    -----
    torch's `MultiStepLR`, which lets a milestone that is listed twice count twice.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [fnn.MultiStep((2, 3), gamma=0.5).at(epoch, 1.0) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    kind: ClassVar[str] = "multi_step"

    milestones: Sequence[int]
    gamma: float = 0.1


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Exponential(PureSchedule):
    """Multiply the rate by `gamma` every time: ``lr gamma^t``.

    Parameters
    ----------
    gamma : float
        > 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `ExponentialLR`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [fnn.Exponential(0.5).at(epoch, 1.0) for epoch in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    kind: ClassVar[str] = "exponential"

    gamma: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class InverseTime(PureSchedule):
    """Decay as ``lr / (1 + decay t)``.

    Parameters
    ----------
    decay : float
        >= 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch has none; Keras calls it `InverseTimeDecay`. Robbins & Monro (1951) prove
    convergence for rates that fall like this.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [fnn.InverseTime(1.0).at(epoch, 1.0) for epoch in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """

    kind: ClassVar[str] = "inverse_time"

    decay: float
