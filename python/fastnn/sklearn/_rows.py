"""The checked rows of an estimator's fit, and which of them validate."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

__all__ = ["Rows", "hold_out"]

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Rows:
    """Checked data: features, encoded targets, weights."""

    X: Any  # ndarray or CSR matrix
    y: Array
    weight: Array | None

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def take(self, index: Array) -> Rows:
        """Return the rows of these numbers."""
        weight = None if self.weight is None else self.weight[index]
        return Rows(self.X[index], self.y[index], weight)


def hold_out(
    rows: Rows,
    fraction: float,
    strata: Array | None,
    random_state: np.random.RandomState,
) -> tuple[Rows, Rows]:
    """Return the rows that train and the part of them that validates instead.

    Of classes in `strata` each gives its share, where all have rows enough.

    Raises
    ------
    ValueError
        If either part would be too small.
    """
    n_held = int(np.ceil(fraction * len(rows)))
    if n_held < 2 or n_held >= len(rows):
        raise ValueError(
            f"validation_fraction={fraction} of {len(rows)} rows leaves "
            f"{len(rows) - n_held} for training and {n_held} for validation, "
            "which needs at least 2 (1 sample cannot be scored): change "
            "validation_fraction, or pass X_val and y_val"
        )
    if strata is not None and not _can_stratify(strata, n_held):
        strata = None
    index = np.arange(len(rows))
    train, held = train_test_split(
        index, test_size=fraction, random_state=random_state, stratify=strata
    )
    return rows.take(train), rows.take(held)


def _can_stratify(strata: Array, n_held: int) -> bool:
    counts = np.unique(strata, return_counts=True)[1]
    return bool(counts.min() >= 2 and n_held >= len(counts) <= len(strata) - n_held)
