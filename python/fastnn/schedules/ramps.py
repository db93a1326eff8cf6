"""Rates that go from one value to another and stay: Linear, Polynomial, Cosine."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.schedules.base import PureSchedule

__all__ = ["Cosine", "Linear", "Polynomial"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Linear(PureSchedule):
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


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Polynomial(PureSchedule):
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


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Cosine(PureSchedule):
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
