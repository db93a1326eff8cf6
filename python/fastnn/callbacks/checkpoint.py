"""Saving the network while it trains."""

from __future__ import annotations

import math
import os
import string
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from fastnn._config import nearest
from fastnn._paths import checked_path
from fastnn.callbacks._target import check_file
from fastnn.callbacks.epoch_info import EpochInfo

if TYPE_CHECKING:
    from typing_extensions import Self

    from fastnn.sequential import Sequential

__all__ = ["Checkpoint"]

_UPWARDS = ("accuracy", "auc", "r2")  # as train/early_stopping.cpp decides


class Checkpoint:
    """Save the network after the epochs that improve a watched value, or after each.

    ``fastnn.load(path)`` gives back what was saved. An older file of that name is
    replaced whole. What counts as the best so far is remembered for as long as the same
    network is fitted; another network begins anew. To resume an interrupted fit, use
    ``Trainer.fit(checkpoint=...)``: this file holds no optimizer's state. (Keras calls
    it ModelCheckpoint; its save_best_only is False by default.)

    Parameters
    ----------
    path : str or path-like
        The file, by custom ending in ".fnn". Fields in braces are filled in: the epoch,
        counted from 0, and any key of ``history.history``, as in
        ``"net-{epoch:03d}-{val_loss:.4f}.fnn"``.
    monitor : str, default "val_loss"
        What decides: "loss", a metric, or their "val_" twins.
    mode : {"auto", "min", "max"}, default "auto"
        Which way is better; "auto": up for accuracy, auc and r2, down for all else.
    save_best_only : bool, default True
        False: save after each epoch; `monitor` is not looked at then.

    Attributes
    ----------
    best : float or None
        The best value so far, None before the first. NaN is never best.
    saved : str or None
        The path of the newest file.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, or, when a fit begins, if it has no such value.
    OSError
        If the file cannot be written: when the fit begins, or after an epoch.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Dense(1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     best = fnn.Checkpoint(pathlib.Path(folder) / "net.fnn", monitor="loss")
    ...     _ = net.fit([[0.0], [1.0]], [0.0, 2.0], loss="mse", callbacks=[best])
    ...     twin = fnn.load(best.saved)
    >>> twin.predict([[3.0]]).shape
    (1, 1)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        mode: Literal["auto", "min", "max"] = "auto",
        save_best_only: bool = True,
    ) -> None:
        self.path: str = checked_path(path, "Checkpoint: path")
        self._fields = _fields(self.path)
        if not isinstance(monitor, str):
            raise TypeError(
                f"Checkpoint: monitor must be a string, got {type(monitor).__name__} "
                f"{monitor!r}"
            )
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f"Checkpoint: mode must be 'auto', 'min' or 'max', got {mode!r}"
            )
        if not isinstance(save_best_only, bool):
            raise TypeError(
                "Checkpoint: save_best_only must be True or False, got "
                f"{type(save_best_only).__name__} {save_best_only!r}"
            )
        self.monitor = monitor
        self.mode = mode
        self.save_best_only = save_best_only
        self.best: float | None = None
        self.saved: str | None = None
        self._net: Callable[[], Sequential | None] = _no_network

    def __repr__(self) -> str:
        return (
            f"Checkpoint({self.path!r}, monitor={self.monitor!r}, mode={self.mode!r}, "
            f"save_best_only={self.save_best_only})"
        )

    def __call__(self, info: EpochInfo) -> None:
        """Save the network if this epoch is to be kept."""
        if self._net() is not info.net:
            self.best, self.saved, self._net = None, None, weakref.ref(info.net)
        value = info.logs[self.monitor] if self.save_best_only else math.nan
        if self.save_best_only and not self._improves(value):
            return
        path = self.path.format(**{**info.logs, "epoch": info.epoch})
        info.net.save(path)
        self.saved = path
        if self.save_best_only:
            self.best = value

    def __enter__(self) -> Self:
        """Look before a fit begins whether the file can be written."""
        if not any(field in os.path.dirname(self.path) for field in "{}"):  # noqa: PTH120
            check_file(self.path)
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: each file was complete."""

    def check_values(self, known: Iterable[str]) -> None:
        """Raise ValueError if the path has a field that no epoch of a fit will fill.

        Parameters
        ----------
        known : iterable of str
            The keys of ``history.history`` the fit will have.
        """
        names = ["epoch", *known]
        for field in self._fields:
            if field not in names:
                raise ValueError(
                    f"Checkpoint: path={self.path!r} has the field {field!r}, which is "
                    f"no value of this fit; it has {', '.join(names)}"
                    f"{nearest(field, names)}"
                )
        try:
            self.path.format(**dict.fromkeys(names, 0.5) | {"epoch": 0})
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(
                f"Checkpoint: path={self.path!r} cannot be filled in: {error}; give "
                "epoch the format of an integer, all else that of a float"
            ) from None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_net": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._net = _no_network

    def _improves(self, value: float) -> bool:
        if self.best is None:
            return not math.isnan(value)
        upwards = self.mode == "max" or (
            self.mode == "auto" and self.monitor.removeprefix("val_") in _UPWARDS
        )
        return value > self.best if upwards else value < self.best


def _no_network() -> Sequential | None:
    """Stand for a reference to a network that is gone."""
    return None


def _fields(path: str) -> list[str]:
    """Return the names in braces, or raise a ValueError if they are none."""
    try:
        pieces = list(string.Formatter().parse(path))
    except ValueError as error:
        raise ValueError(
            f"Checkpoint: path={path!r}: {error}; write a brace that is meant as one "
            "twice"
        ) from None
    fields = [field for _, field, _, _ in pieces if field is not None]
    for field in fields:
        if not field.isidentifier():
            raise ValueError(
                f"Checkpoint: path={path!r} has the field {field!r}; expected 'epoch' "
                "or a key of history.history in braces, such as {val_loss:.4f}"
            )
    return fields
