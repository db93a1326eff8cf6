"""X, dense or sparse, as the engine reads it."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._validation.arrays import (
    Array,
    as_table,
    check_shape,
    in_dtype,
    is_sparse,
    looks_finite,
    not_finite,
    where_first,
)
from fastnn._validation.frames import column_names
from fastnn._validation.sparse import Csr, as_csr, csr_not_finite, is_csr

__all__ = [
    "Rows",
    "TableLike",
    "as_features",
    "as_rows",
    "features_not_finite",
    "some_rows",
]


class SparseMatrix(Protocol):
    """A sparse matrix of SciPy, or what can become one."""

    def tocsr(self) -> Any:
        """Return it with compressed rows."""


TableLike: TypeAlias = npt.ArrayLike | SparseMatrix
"""What a user may pass as X."""

Rows: TypeAlias = Array | Csr
"""(n, in_features): an array, or checked sparse rows."""


def as_rows(argument: str, value: object, dtype: str, in_features: int | None) -> Rows:
    """Return X as (n, in_features) rows in `dtype`, whether finite or not.

    Raises
    ------
    TypeError, ValueError
        As `as_table` and `as_csr`.
    """
    if is_csr(value) and value.values.dtype == dtype:  # checked before
        check_shape(argument, value.shape, in_features)
        return value
    if type(value) is not np.ndarray and is_sparse(value):
        return as_csr(argument, value, dtype, in_features)
    return in_dtype(as_table(argument, value, in_features, dtype), dtype)


def as_features(
    argument: str, value: object, dtype: str, in_features: int | None
) -> Rows:
    """Return X as (n, in_features) rows of finite numbers in `dtype`.

    Raises
    ------
    TypeError, ValueError
        As `as_rows`, and for NaN, infinity and what is too large for `dtype`.
    """
    rows = as_rows(argument, value, dtype, in_features)
    numbers = rows.values if is_csr(rows) else rows
    if looks_finite(numbers) or np.isfinite(numbers).all():
        return rows
    raise features_not_finite(argument, value, rows, dtype)


def features_not_finite(
    argument: str, value: Any, rows: Rows, dtype: str
) -> ValueError:
    """Return the error for rows, made of the user's `value`, that are not finite."""
    if is_csr(rows):
        return csr_not_finite(argument, value, rows)
    names = column_names(value)
    table = as_table(argument, value, None)
    return not_finite(argument, table, dtype, where=lambda bad: where_first(bad, names))


def some_rows(rows: Rows, index: Array) -> Rows:
    """Return copies of the rows of these numbers."""
    return rows.rows(index) if is_csr(rows) else rows[index]
