"""The draw of validation rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastnn._native import core
from fastnn._validation.arrays import Array
from fastnn._validation.data import Data
from fastnn.losses import Loss

__all__ = ["labels_to_stratify", "split_data", "split_rows"]

_PURPOSE = 4  # the random stream of splits: shuffles and masks have others


def labels_to_stratify(targets: Array, loss: Loss) -> Array | None:
    """Return the class of each row if `targets`, as the engine takes them, hold any."""
    if loss.targets == "classes" and targets.ndim == 1:
        return targets
    if loss.targets == "labels" and targets.shape[1] == 1:
        column = targets[:, 0]
        return column if np.isin(column, (0, 1)).all() else None
    return None


def split_data(data: Data, fraction: float, loss: Loss, seed: int) -> tuple[Data, Data]:
    """Return training and validation rows, stratified if y holds labels.

    Raises
    ------
    ValueError
        If there is only one row, or all rows of a part weigh nothing.
    """
    labels = labels_to_stratify(data.y, loss)
    train, validation = split_rows(len(data), fraction, labels, seed)
    parts = data.rows(train), data.rows(validation)
    for part, name in zip(parts, ("training", "validation"), strict=True):
        if part.weight is not None and not part.weight.any():
            raise ValueError(
                f"sample_weight is zero for all {len(part)} rows that "
                f"validation_split={fraction} leaves for {name}: pass "
                "validation_data= instead"
            )
    return parts


def split_rows(
    n_rows: int, fraction: float, labels: Array | None, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Draw the rows that validate, in proportion from each class.

    Rows are put in random order, sorted by class, and every 1/fraction-th is taken:
    each class gives its share to within one row, and the total is exact.

    Parameters
    ----------
    n_rows : int
        How many rows there are.
    fraction : float
        The part that validates, in (0, 1).
    labels : ndarray of shape (n_rows,), optional
        The class of each row; None: no classes.
    seed : int
        The network's seed: the same rows are drawn for each fit.

    Returns
    -------
    train, validation : ndarray of int64
        Row numbers, ascending, at least one in each.

    Raises
    ------
    ValueError
        If there is only one row.
    """
    if n_rows < 2:
        raise ValueError(
            f"validation_split={fraction} needs at least 2 rows to split, got "
            f"{n_rows}: pass validation_data= instead"
        )
    n_validation = min(max(round(n_rows * fraction), 1), n_rows - 1)
    order = core.permutation(n_rows, seed, 0, _PURPOSE)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    marks = np.arange(n_rows + 1) * n_validation // n_rows
    taken = np.zeros(n_rows, dtype=bool)
    taken[order[np.diff(marks) > 0]] = True
    return np.flatnonzero(~taken), np.flatnonzero(taken)
