"""Learning-rate schedules: pure functions of the step.

``schedule.at(step, lr)`` is the rate at `step` = 0, 1, 2, ... for an optimizer whose
own rate is `lr`. A schedule counts epochs unless ``per="step"``: then it counts
updates. It holds no state, so any step can be asked for at any time, and a resumed run
needs only the number of its step. Beyond its end a schedule keeps its last value.

`ReduceOnPlateau` alone depends on the run: on the scores after each epoch.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

from fastnn._config import Config, number
from fastnn._native import core

__all__ = [
    "SCHEDULES",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "InverseTime",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "Schedule",
    "StepDecay",
    "Warmup",
]


@dataclasses.dataclass(frozen=True)
class Schedule(Config):
    """Base of the schedules."""

    def _check_ranges(self) -> None:
        core.check_schedule(self.to_native())

    def at(self, step: float, lr: float) -> float:
        """Return the learning rate at a step.

        Parameters
        ----------
        step : float
            0 for the first epoch (or update, with ``per="step"``).
        lr : float
            The optimizer's own learning rate, >= 0.

        Returns
        -------
        float

        Raises
        ------
        TypeError
            No number.
        ValueError
            Negative or not finite, or a `ReduceOnPlateau`, which watches the run.

        Examples
        --------
        >>> import fastnn as fnn
        >>> [fnn.StepDecay(2, gamma=0.5).at(epoch, 0.1) for epoch in range(5)]
        [0.1, 0.1, 0.05, 0.05, 0.025]

        """
        t, base = number("step", step), number("lr", lr)
        return core.schedule_at(self.to_native(), t, base)


@dataclasses.dataclass(frozen=True)
class _PureSchedule(Schedule):
    """A schedule that counts epochs or steps."""

    _: dataclasses.KW_ONLY
    per: Literal["epoch", "step"] = "epoch"


@dataclasses.dataclass(frozen=True)
class StepDecay(_PureSchedule):
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


@dataclasses.dataclass(frozen=True)
class MultiStep(_PureSchedule):
    """Multiply the rate by `gamma` at each milestone.

    Parameters
    ----------
    milestones : tuple of int
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

    milestones: tuple[int, ...]
    gamma: float = 0.1


@dataclasses.dataclass(frozen=True)
class Exponential(_PureSchedule):
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


@dataclasses.dataclass(frozen=True)
class InverseTime(_PureSchedule):
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


@dataclasses.dataclass(frozen=True)
class Linear(_PureSchedule):
    """Go straight from ``lr start_factor`` to ``lr end_factor`` in `total`, and stay.

    Parameters
    ----------
    start_factor, end_factor : float
        >= 0.
    total : int
        Epochs (or steps) on the way, >= 1.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `LinearLR`, where the factors have defaults (1/3 and 1).

    Examples
    --------
    >>> import fastnn as fnn
    >>> [fnn.Linear(1.0, 0.5, total=2).at(epoch, 1.0) for epoch in range(4)]
    [1.0, 0.75, 0.5, 0.5]

    """

    kind: ClassVar[str] = "linear"

    start_factor: float
    end_factor: float
    total: int


@dataclasses.dataclass(frozen=True)
class Polynomial(_PureSchedule):
    """Decay as ``lr (1 - t / total)^power`` to 0, and stay there.

    Parameters
    ----------
    total : int
        Epochs (or steps) on the way, >= 1.
    power : float, default 1.0
        > 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `PolynomialLR`, whose `total_iters` defaults to 5.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [fnn.Polynomial(4, power=2.0).at(epoch, 1.0) for epoch in range(6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]

    """

    kind: ClassVar[str] = "polynomial"

    total: int
    power: float = 1.0


@dataclasses.dataclass(frozen=True)
class Cosine(_PureSchedule):
    """Fall from `lr` to `min_lr` along half a cosine, and stay there.

    ``min_lr + (lr - min_lr) (1 + cos(pi t / total)) / 2``

    Parameters
    ----------
    total : int
        Epochs (or steps) on the way, >= 1.
    min_lr : float, default 0.0
        >= 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `CosineAnnealingLR` up to `total`; beyond it torch's rate rises again.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts,
    arXiv:1608.03983.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [round(fnn.Cosine(4).at(epoch, 1.0), 3) for epoch in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]

    """

    kind: ClassVar[str] = "cosine"

    total: int
    min_lr: float = 0.0


@dataclasses.dataclass(frozen=True)
class CosineRestarts(_PureSchedule):
    """Half cosines from `lr` to `min_lr`, each followed by a jump back to `lr`.

    Parameters
    ----------
    period : int
        Length of the first, >= 1.
    mult : int, default 1
        Each is `mult` times as long as the one before, >= 1.
    min_lr : float, default 0.0
        >= 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `CosineAnnealingWarmRestarts`.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts,
    arXiv:1608.03983.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [round(fnn.CosineRestarts(2, mult=2).at(t, 1.0), 3) for t in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]

    """

    kind: ClassVar[str] = "cosine_restarts"

    period: int
    mult: int = 1
    min_lr: float = 0.0


@dataclasses.dataclass(frozen=True)
class OneCycle(_PureSchedule):
    """Rise to `max_lr`, then fall far below the start, along two half cosines.

    From ``max_lr / div`` at step 0 to `max_lr` at ``pct_start total - 1``, and to
    ``max_lr / div / final_div`` at ``total - 1``, which stays.

    Parameters
    ----------
    total : int
        Epochs (or steps) of the run, >= 1.
    max_lr : float
        > 0. The optimizer's own rate is not used.
    pct_start : float, default 0.3
        The part of the run that rises, in [0, 1].
    div, final_div : float, default 25.0 and 1e4
        > 0.
    per : {"epoch", "step"}, default "epoch"
        What is counted; usually "step". Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `OneCycleLR` with ``anneal_strategy="cos"``. Beyond `total`, torch raises an
    error. Momentum is not cycled.

    References
    ----------
    Smith & Topin (2018), Super-convergence: very fast training of neural networks using
    large learning rates, arXiv:1708.07120.

    Examples
    --------
    >>> import fastnn as fnn
    >>> schedule = fnn.OneCycle(10, max_lr=1.0, per="step")
    >>> [round(schedule.at(step, 0.1), 3) for step in (0, 1, 2, 9, 99)]
    [0.04, 0.52, 1.0, 0.0, 0.0]

    """

    kind: ClassVar[str] = "one_cycle"

    total: int
    max_lr: float
    pct_start: float = 0.3
    div: float = 25.0
    final_div: float = 1e4


@dataclasses.dataclass(frozen=True)
class Cyclic(_PureSchedule):
    """A triangle wave between `base_lr` and `max_lr`, without end.

    Parameters
    ----------
    base_lr, max_lr : float
        ``0 <= base_lr <= max_lr``. The optimizer's own rate is not used.
    up : int
        Epochs (or steps) of a rise, >= 1.
    down : int, optional
        Of a fall, >= 1; by default as long as `up`.
    per : {"epoch", "step"}, default "epoch"
        What is counted; usually "step". Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `CyclicLR` in its mode "triangular". Momentum is not cycled.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks,
    arXiv:1506.01186.

    Examples
    --------
    >>> import fastnn as fnn
    >>> [fnn.Cyclic(0.0, 1.0, up=2, down=1).at(step, 0.1) for step in range(5)]
    [0.0, 0.5, 1.0, 0.0, 0.5]

    """

    kind: ClassVar[str] = "cyclic"

    base_lr: float
    max_lr: float
    up: int
    down: int | None = None


@dataclasses.dataclass(frozen=True)
class Warmup(_PureSchedule):
    """Rise to the rate in equal parts, then follow another schedule.

    At step t the rate is ``lr (t + 1) / steps`` for ``t < steps``: ``lr / steps`` at
    first, the whole of `lr` at step ``steps - 1``. From step `steps` on it is
    ``then.at(t - steps, lr)``, or `lr` without `then`.

    Parameters
    ----------
    steps : int
        Epochs (or steps) of the rise, >= 1.
    then : Schedule, optional
        What follows, counted from the end of the rise. It must count the same unit, and
        cannot be a `ReduceOnPlateau`.
    per : {"epoch", "step"}, default "epoch"
        What is counted; usually "step". Keyword only.

    Raises
    ------
    TypeError
        `then` is no schedule.
    ValueError
        A setting out of range, or a `then` that counts another unit.

    Notes
    -----
    torch builds it from `LinearLR` and `SequentialLR`.

    References
    ----------
    Goyal et al. (2017), Accurate, large minibatch SGD, section 2.2, arXiv:1706.02677.

    Examples
    --------
    >>> import fastnn as fnn
    >>> schedule = fnn.Warmup(4, fnn.Exponential(0.5))
    >>> [schedule.at(epoch, 1.0) for epoch in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]

    """

    kind: ClassVar[str] = "warmup"

    steps: int
    then: Schedule | None = None

    def _check_ranges(self) -> None:
        if self.then is not None and not isinstance(self.then, Schedule):
            raise TypeError(
                "Warmup: then must be a schedule or None, "
                f"got {type(self.then).__name__} {self.then!r}"
            )
        super()._check_ranges()

    def to_native(self) -> dict[str, Any]:
        """Return the dict from which C++ reads its twin, `then` inside it."""
        then = None if self.then is None else self.then.to_native()
        return {**super().to_native(), "then": then}


@dataclasses.dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Multiply the rate by `factor` when a score has stopped improving.

    After each epoch the monitored score is compared with the best so far. After more
    than `patience` epochs without improvement the rate falls, and counting begins anew.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The column of the history to watch.
    mode : {"auto", "min", "max"}, default "auto"
        Whether lower or higher is better; "auto": higher for names that end in
        "accuracy", "acc", "auc" or "r2", lower for all others.
    factor : float, default 0.1
        In (0, 1).
    patience : int, default 10
        Epochs without improvement that are borne, >= 0.
    threshold : float, default 1e-4
        What counts as improvement, >= 0.
    threshold_mode : {"rel", "abs"}, default "rel"
        Whether `threshold` is relative to the best score or absolute.
    cooldown : int, default 0
        Epochs after a fall that are not counted, >= 0.
    min_lr : float, default 0.0
        The rate falls no lower, >= 0.
    eps : float, default 1e-8
        Falls smaller than this are left out, >= 0.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch's `ReduceLROnPlateau`, whose mode defaults to "min". A score of NaN is no
    improvement.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.ReduceOnPlateau(patience=3).monitor
    'val_loss'

    """

    kind: ClassVar[str] = "reduce_on_plateau"

    monitor: str = "val_loss"
    mode: Literal["auto", "min", "max"] = "auto"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    min_lr: float = 0.0
    eps: float = 1e-8


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.kind: schedule
    for schedule in (
        StepDecay,
        MultiStep,
        Exponential,
        InverseTime,
        Linear,
        Polynomial,
        Cosine,
        CosineRestarts,
        OneCycle,
        Cyclic,
        Warmup,
        ReduceOnPlateau,
    )
}
"""The schedules by name."""
