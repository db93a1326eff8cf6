"""The shape of pictures, which rows do not show any more."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["picture_shape", "same_pictures"]


def picture_shape(X: Any) -> tuple[int, ...] | None:
    """Return (height, width[, channels]) of X if its rows are pictures."""
    if isinstance(X, (list, tuple)):
        X = X[:1]  # one row tells, and is converted sooner than all
    shape = X.shape if hasattr(X, "shape") else np.shape(X)
    return tuple(int(n) for n in shape[1:]) if len(shape) in (3, 4) else None


def same_pictures(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes are of the same pictures; one channel need not be said."""
    return _three(shape) == _three(other)


def _three(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) == 3 else (*shape, 1)
