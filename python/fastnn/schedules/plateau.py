"""A rate that falls when a score no longer improves."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

from fastnn.schedules.base import Schedule

__all__ = ["ReduceOnPlateau"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
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
