"""Rates that rise and fall: CosineRestarts, OneCycle, Cyclic."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.schedules.base import PureSchedule

__all__ = ["CosineRestarts", "Cyclic", "OneCycle"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CosineRestarts(PureSchedule):
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


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OneCycle(PureSchedule):
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


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Cyclic(PureSchedule):
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
