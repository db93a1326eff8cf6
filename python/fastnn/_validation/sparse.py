"""SciPy's sparse matrices, as rows that the engine may trust.

SciPy is never imported here: whoever passes such a matrix has done it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastnn._native import core
from fastnn._validation.arrays import (
    Array,
    as_numbers,
    check_shape,
    in_dtype,
    not_finite,
)

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = [
    "Csr",
    "as_csr",
    "csr_not_finite",
    "is_csr",
]

Csr: TypeAlias = core.CsrF32 | core.CsrF64
"""Checked rows: ``starts``, ``columns`` (int32) and ``values``, as a CSR matrix has."""


def is_csr(rows: object) -> TypeIs[Csr]:
    """Whether these are checked sparse rows."""
    return isinstance(rows, (core.CsrF32, core.CsrF64))


def as_csr(argument: str, value: Any, dtype: str, in_features: int | None) -> Csr:
    """Return a sparse X as the engine reads it, whether finite or not.

    The positions of the nonzeros are checked and copied, 4 bytes for each and 8 for
    each row, since another thread may overwrite the user's; the values are copied only
    to become `dtype`. Rows whose columns are unsorted or repeated are put in order in
    a copy, where repeated entries are added up as by ``toarray()``.

    Raises
    ------
    TypeError, ValueError
        If it is no two-dimensional matrix of numbers of `in_features` columns (None:
        any number but 0) and at least one row, or if its indices point outside.
    """
    shape = tuple(value.shape)
    if len(shape) != 2:
        raise ValueError(
            f"{argument} must be two-dimensional, (rows, features), got a sparse array "
            f"of shape {shape}: {argument}.reshape(1, -1) makes it one row"
        )
    check_shape(argument, shape, in_features)
    matrix = value
    if getattr(value, "format", None) != "csr":
        _check_indices(argument, value)
        matrix = value.tocsr()
    rows = _checked(argument, matrix, dtype)
    if rows is None:
        rows = _checked(argument, _in_order(argument, matrix), dtype)
        assert rows is not None  # noqa: S101 -- for the type checker: it is in order
    return rows


def csr_not_finite(argument: str, value: Any, rows: Csr) -> ValueError:
    """Return the error for rows, made of the user's `value`, that are not finite."""
    bad = ~np.isfinite(rows.values)
    k = int(np.argmax(bad))
    row = int(np.searchsorted(rows.starts, k, side="right")) - 1
    count = int(np.count_nonzero(bad))
    where = (
        f"{count} {'entry' if count == 1 else 'entries'}, the first at row {row}, "
        f"column {rows.columns[k]}"
    )
    given = value.tocsr().data[: len(bad)]
    array = given if np.isfinite(given).all() else rows.values
    return not_finite(argument, array, str(rows.values.dtype), where=lambda _: where)


def _checked(argument: str, matrix: Any, dtype: str) -> Csr | None:
    """Return a CSR matrix checked, or None if some row is not in order."""
    data = as_numbers(f"the values of {argument}", matrix.data)
    used = int(matrix.indptr[-1:].sum())  # there may be room for more behind them
    values = in_dtype(data[:used], dtype)
    rows: Csr | None = core.csr(
        argument, matrix.indptr, matrix.indices, values, *matrix.shape
    )
    return rows


def _in_order(argument: str, matrix: Any) -> Any:
    """Return a copy whose columns ascend in each row, repeated entries added up.

    Twice a stable sort: unlike ``sum_duplicates()`` on rows that are not sorted, this
    adds the entries in the order in which ``toarray()`` does.
    """
    copy = matrix.copy()  # which nobody writes to: SciPy's conversions trust indices
    _checked(argument, copy, "float32")
    copy = copy.tocsc().tocsr()
    copy.sum_duplicates()
    return copy


def _check_indices(argument: str, value: Any) -> None:
    """Raise ValueError if the indices of a COO, CSC or BSR matrix point outside.

    SciPy would read and write there when it converts them.
    """
    form = getattr(value, "format", None)
    if form == "coo":
        _check_range(argument, "row", value.row, value.shape[0])
        _check_range(argument, "col", value.col, value.shape[1])
    elif form in ("csc", "bsr"):
        height, width = value.blocksize if form == "bsr" else (1, 1)
        n_rows, n_columns = value.shape[0] // height, value.shape[1] // width
        outer, inner = (n_columns, n_rows) if form == "csc" else (n_rows, n_columns)
        indptr = value.indptr
        ascends = indptr.shape == (outer + 1,) and (np.diff(indptr) >= 0).all()
        if not ascends or indptr[0] != 0 or indptr[-1] > len(value.indices):
            raise ValueError(
                f"{argument} is a broken sparse matrix: its indptr does not ascend "
                f"from 0 to the number of indices; make it anew from your data"
            )
        _check_range(argument, "indices", value.indices[: indptr[-1]], inner)


def _check_range(argument: str, name: str, index: Array, below: int) -> None:
    if len(index) == 0 or (index.min() >= 0 and index.max() < below):
        return
    k = int(np.argmax((index < 0) | (index >= below)))
    raise ValueError(
        f"{argument} is a broken sparse matrix: {name}[{k}] is {index[k]}, expected "
        f"a number from 0 to {below - 1}; make it anew from your data"
    )
