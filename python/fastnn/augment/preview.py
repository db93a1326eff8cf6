"""What a step of training sees of its batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastnn._native import core
from fastnn._validation import (
    Array,
    TableLike,
    as_features,
    as_numbers,
    check_int,
    finite_in_dtype,
    picture_shape,
)
from fastnn._validation.arrays import is_sparse
from fastnn.augment._checks import as_augments, check_augments, with_shape
from fastnn.augment.base import Augment
from fastnn.augment.mixup import Mixup

__all__ = ["preview"]


@overload
def preview(
    X: TableLike,
    augment: Augment | Sequence[Augment],
    seed: int = 0,
    shape: tuple[int, ...] | None = None,
    *,
    y: None = None,
    step: int = 0,
) -> Array: ...
@overload
def preview(
    X: TableLike,
    augment: Augment | Sequence[Augment],
    seed: int = 0,
    shape: tuple[int, ...] | None = None,
    *,
    y: npt.ArrayLike,
    step: int = 0,
) -> tuple[Array, Array]: ...
def preview(
    X: TableLike,
    augment: Augment | Sequence[Augment],
    seed: int = 0,
    shape: tuple[int, ...] | None = None,
    *,
    y: npt.ArrayLike | None = None,
    step: int = 0,
) -> Array | tuple[Array, Array]:
    """Return X, or (X, y), as a step of training would see these rows as one batch.

    It runs the code that `fit` runs. Of a fit with ``shuffle=False`` of a network with
    this seed, the first step sees the first `batch_size` rows so.

    Parameters
    ----------
    X : array-like or sparse matrix
        Rows, (n, in_features), or pictures, (n, height, width[, channels]).
    augment : augmentation or sequence of augmentations
        As for `fit`.
    seed : int, default 0
        Another number, another draw; of a fit the network's seed.
    shape : (height, width) or (height, width, channels), optional
        Of the pictures, if X is flat and the augmentations do not say it.
    y : array-like of shape (n,) or (n, values), optional
        Integer labels or numbers, for `Mixup`.
    step : int, default 0
        Another number, another draw; of a fit how many steps came before.

    Returns
    -------
    X : ndarray
        Of X's shape; float64 if X is, else float32. The given X stays as it is.
    y : ndarray, only if y was given
        Itself, or with `Mixup` the mixtures: (n,) or (n, values), of labels the shares
        of the classes 0 .. max(y), (n, classes).

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.arange(6.0).reshape(1, 2, 3)
    >>> fnn.augment.preview(X, [fnn.augment.Flip(p=1.0), fnn.augment.Noise(0.0)])
    array([[[2., 1., 0.],
            [5., 4., 3.]]])
    """
    dense: Any = X
    numbers = as_numbers("X", dense.tocsr().toarray() if is_sparse(X) else dense)
    dtype = "float64" if numbers.dtype == np.float64 else "float32"
    rows: Any = as_features("X", numbers, dtype, None)
    augments = with_shape(as_augments(augment), picture_shape(numbers) or shape)
    check_augments(augments, rows.shape[1])
    targets, width = _targets(y, len(rows), dtype)
    changed, mixed = core.augmented_rows(
        rows,
        targets,
        width,
        [a.to_native() for a in augments],
        check_int("seed", seed, 0, below=2**64),
        check_int("step", step, 0, below=2**32),
    )
    changed = np.asarray(changed).reshape(numbers.shape)
    if y is None:
        return changed
    if not any(isinstance(a, Mixup) for a in augments):
        return changed, np.asarray(y)
    return changed, mixed[:, 0] if targets.ndim == 2 and np.ndim(y) == 1 else mixed


def _targets(y: Any, n_rows: int, dtype: str) -> tuple[Array, int]:
    """Return labels (n,) int32 or values (n, width), and the width of mixtures."""
    if y is None:
        return np.zeros((n_rows, 1), dtype), 1
    array = as_numbers("y", y)
    if array.ndim not in (1, 2) or len(array) != n_rows:
        raise ValueError(
            f"y has shape {array.shape}, but there are {n_rows} rows in X: give one "
            "target for each"
        )
    if array.ndim == 1 and array.dtype.kind in "biu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= 2**31 - 1:
            raise ValueError(
                f"y must hold labels 0, 1, ..., got {low if low < 0 else high}: number "
                "your classes by np.unique(y, return_inverse=True)[1]"
            )
        return array.astype(np.int32), high + 1
    values = finite_in_dtype("y", array.reshape(n_rows, -1), dtype)
    return values, values.shape[1]
