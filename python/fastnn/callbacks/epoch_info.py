"""What a callback is told at the end of each epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from fastnn.sequential import Sequential
    from fastnn.trainer import Trainer

__all__ = ["Callback", "EpochInfo"]


@dataclasses.dataclass(frozen=True)
class EpochInfo:
    """What a callback is told at the end of an epoch.

    Attributes
    ----------
    epoch : int
        The epoch, counted from 0 within this ``fit``.
    logs : dict of str to float
        The epoch's entry of every key of ``history.history``.
    net : Sequential
        The network, with the weights after this epoch.
    trainer : Trainer
        The trainer that runs the fit.

    Examples
    --------
    >>> import fastnn as fnn
    >>> def good_enough(info):
    ...     return info.logs["loss"] < 0.1
    >>> net = fnn.Sequential(fnn.Dense(1))
    >>> net.fit(
    ...     [[0.0], [0.0]], [0.0, 0.0], loss="mse", callbacks=[good_enough]
    ... ).stop_reason
    'callback'
    """

    epoch: int
    logs: dict[str, float]
    net: Sequential
    trainer: Trainer


Callback: TypeAlias = Callable[[EpochInfo], Any]
