"""Data that scikit-learn's own checks would take and silently misread."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["refuse_lossy"]


def refuse_lossy(argument: str, value: Any) -> None:
    """Raise TypeError for masked arrays and for dates, whose meaning would be lost."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{argument} is a masked array; its mask would be lost: fill the masked "
            f"entries ({argument}.filled(value)) or drop their rows"
        )
    if not {"m", "M"}.isdisjoint(_kinds(value)):
        raise TypeError(
            f"{argument} holds dates or durations: turn them into numbers first, e.g. "
            "days since a reference date"
        )


def _kinds(value: Any) -> list[str]:
    """Return the kinds of the dtypes of an array, or of a frame's columns."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return [_kind(dtype)]
    dtypes = getattr(value, "dtypes", ())
    return [_kind(dtype) for dtype in list(dtypes)]


def _kind(dtype: Any) -> str:
    """Return a letter as NumPy has it; M also for polars' dates."""
    temporal = getattr(dtype, "is_temporal", None)
    if callable(temporal) and temporal():
        return "M"
    kind = getattr(dtype, "kind", "")
    return kind if isinstance(kind, str) else ""
