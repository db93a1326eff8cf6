"""Folds that are kept by the rows they hold out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

__all__ = ["Fold", "HeldOut", "Numbers"]

Numbers: TypeAlias = npt.NDArray[np.int64]
Fold: TypeAlias = tuple[Numbers, Numbers]
"""The numbers of the rows that train, and of those that validate."""


class HeldOut(Sequence[Fold]):
    """Folds that train on all rows but those they validate on.

    The rows that train are made when a fold is asked for: to leave each of n rows out
    once, lists of them would hold n (n - 1) numbers.

    Parameters
    ----------
    n_rows : int
    held : list of ndarray
        The rows that validate, of each fold.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.model_selection.held_out import HeldOut
    >>> folds = HeldOut(3, [np.array([0, 1]), np.array([2])])
    >>> train, validation = folds[-1]
    >>> train.tolist(), validation.tolist()
    ([0, 1], [2])
    """

    def __init__(self, n_rows: int, held: list[Numbers]) -> None:
        self._n_rows = n_rows
        self._held = held

    def __len__(self) -> int:
        return len(self._held)

    @overload
    def __getitem__(self, index: int) -> Fold: ...
    @overload
    def __getitem__(self, index: slice) -> HeldOut: ...
    def __getitem__(self, index: Any) -> Fold | HeldOut:
        held = self._held[index]
        if isinstance(held, list):
            return HeldOut(self._n_rows, held)
        trains = np.ones(self._n_rows, dtype=bool)
        trains[held] = False
        return np.flatnonzero(trains), held

    def __repr__(self) -> str:
        return f"<{len(self)} folds of {self._n_rows} rows>"
