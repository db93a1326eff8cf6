"""Stopping when a watched value no longer improves."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

from fastnn._config import Config

__all__ = ["EarlyStopping"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class EarlyStopping(Config):
    """Stop when a watched value no longer improves.

    The fit stops after `patience` epochs in a row none of which improved the best
    value by more than `min_delta`. A value that is NaN never improves anything.
    Prechelt, "Early stopping - but when?" (1998).

    Parameters
    ----------
    monitor : str, default "val_loss"
        A key of ``history.history``: "loss", a metric, or their "val_" twins.
    min_delta : float, default 0.0
        Smallest change that counts as an improvement, >= 0, in units of the value.
    patience : int, default 10
        Epochs to wait for an improvement, >= 0. (Keras' default is 0; 0 and 1 both
        stop at the first epoch that does not improve.)
    mode : {"auto", "min", "max"}, default "auto"
        Which way is better; "auto": up for accuracy, auc and r2, down for all else.
    restore_best_weights : bool, default True
        Whether the network gets back the weights of the best epoch, however the
        training ends. (Keras' default is False.)
    start_from_epoch : int, default 0
        Epochs to let pass before watching begins, >= 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.EarlyStopping(patience=3).monitor
    'val_loss'
    """

    kind: ClassVar[str] = "early_stopping"
    monitor: str = "val_loss"
    min_delta: float = 0.0
    patience: int = 10
    mode: Literal["auto", "min", "max"] = "auto"
    restore_best_weights: bool = True
    start_from_epoch: int = 0

    def _check_ranges(self) -> None:
        if not 0 <= self.min_delta < float("inf"):
            raise ValueError(
                f"min_delta must be a finite number >= 0, got {self.min_delta}"
            )
        for name in ("patience", "start_from_epoch"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
