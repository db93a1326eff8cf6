"""Data frames and series of pandas, polars and whatever else narwhals knows.

narwhals is imported when such an object comes, never before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["column_names", "frame_numbers"]

_LIBRARIES = frozenset(
    (
        "cudf",
        "dask",
        "duckdb",
        "ibis",
        "modin",
        "narwhals",
        "pandas",
        "polars",
        "pyarrow",
        "pyspark",
        "sqlframe",
    )
)

# Columns put into a table together: their elements of one row fill a cache line.
_COLUMNS_AT_ONCE = 16
_ROWS_AT_ONCE = 4096

# Types of numbers that NumPy has not.
_NOT_IN_NUMPY = frozenset(("Decimal", "Int128", "UInt128"))

# name of a column's type -> what it holds, what to do about it
_TEXT = (
    "text",
    "encode text as numbers, labels by np.unique(labels, return_inverse=True)[1]",
)
_CATEGORIES = (
    "categories",
    "encode them as numbers, e.g. one column of 0 and 1 for each category",
)
_DATES = (
    "dates or times",
    "turn them into numbers first, e.g. days since a reference date",
)
_DURATIONS = ("durations", "turn them into numbers first, e.g. seconds")
_REFUSED = {
    "String": _TEXT,
    "Categorical": _CATEGORIES,
    "Enum": _CATEGORIES,
    "Date": _DATES,
    "Datetime": _DATES,
    "Time": _DATES,
    "Duration": _DURATIONS,
}
_UNKNOWN = "convert it to numbers first, or leave it out"


def is_frame(value: object) -> bool:
    """Whether this is an object of a library of data frames: told by its class."""
    kinds = type(value).__mro__
    return any(kind.__module__.partition(".")[0] in _LIBRARIES for kind in kinds)


def frame_numbers(
    argument: str, value: Any, dtype: str | None = None
) -> npt.NDArray[Any] | None:
    """Return a frame as an (n, columns) array, a series as (n,), None for neither.

    A frame that is one block of memory already is not copied; others are copied once,
    to `dtype` (None: to the type that holds all columns). Missing values become NaN.

    Raises
    ------
    TypeError
        For columns that hold no numbers, and for lazy frames.
    ImportError
        If narwhals is missing, unless all columns are NumPy's in a frame of pandas.
    """
    if not is_frame(value):
        return None
    plain = _numpy_types(value)
    if len(plain) == 1 and _is_one_block(value):
        return np.asarray(value)
    opened = _opened(argument, value, needed=not plain)
    if opened is None:
        return np.asarray(value) if plain else None
    if not hasattr(opened, "iter_columns"):
        return _numbers(argument, opened, "")
    names = enumerate(opened.columns)
    columns = (
        _numbers(argument, opened[:, j], f" in column {j} ({name!r})")
        for j, name in names
    )
    if dtype is None:
        arrays = list(columns)
        return np.stack(arrays, axis=1) if arrays else np.empty((len(opened), 0))
    table = np.empty((len(opened), len(opened.columns)), dtype)
    with np.errstate(over="ignore"):  # infinity is found later
        _fill(table, columns)
    return table


def column_names(value: Any) -> list[object]:
    """Return the names of a frame's columns; nothing has none."""
    names = getattr(value, "columns", None) if is_frame(value) else None
    return [] if names is None else list(names)


def _numpy_types(value: Any) -> set[np.dtype[Any]]:
    """Return the types of the columns of pandas if all are NumPy's numbers, or none."""
    if not hasattr(value, "iloc"):
        return set()
    types = set(np.asarray(value.dtypes, dtype=object).reshape(-1))
    numbers = all(isinstance(t, np.dtype) and t.kind in "biuf" for t in types)
    return types if numbers else set()


def _is_one_block(value: Any) -> bool:
    """Whether a pandas frame of one type, or a series, is one piece of memory."""
    if value.ndim == 1:
        return True
    rows, columns = value.shape
    first, last = (value.iloc[:, j].to_numpy() for j in (0, -1))
    apart = (last.ctypes.data - first.ctypes.data) // first.itemsize
    return apart in (columns - 1, (columns - 1) * rows)


def _opened(argument: str, value: Any, *, needed: bool) -> Any:
    """Return a frame or series as narwhals sees it, or None if it does not."""
    try:
        import narwhals.stable.v2 as nw  # noqa: PLC0415
    except ImportError:
        if not needed:
            return None
        kind = type(value)
        raise ImportError(
            f"{argument} is a {kind.__name__} of {kind.__module__.partition('.')[0]}, "
            "which takes narwhals to read: pip install 'fastnn[frames]', or pass a "
            "NumPy array"
        ) from None
    try:
        opened = nw.from_native(value, allow_series=True)
    except (TypeError, nw.exceptions.NarwhalsError):
        return None  # such as an Index of pandas, or column names that come twice
    if isinstance(opened, nw.LazyFrame):
        raise TypeError(
            f"{argument} is a lazy frame ({type(value).__name__}): collect it first, "
            f"e.g. {argument}.collect()"
        )
    return opened


def _numbers(argument: str, column: Any, place: str) -> npt.NDArray[Any]:
    """Return a column of narwhals as numbers, uncopied where nothing is missing."""
    import narwhals.stable.v2 as nw  # noqa: PLC0415 -- it is there: it made the column

    kind = column.dtype
    name = type(kind).__name__
    if name in _NOT_IN_NUMPY:
        column = column.cast(nw.Float64)
    if kind.is_numeric() or name in {"Boolean", "Unknown"}:
        array = column.to_numpy()
        if array.dtype.kind == "O" and name == "Boolean":  # some are missing
            array = column.cast(nw.Float64).to_numpy()
        if array.dtype.kind in "biuf":
            return np.asarray(array)
    native = getattr(column.to_native(), "dtype", kind)
    what, advice = _REFUSED.get(name, (f"dtype {native}", _UNKNOWN))
    raise TypeError(f"{argument} must hold real numbers, got {what}{place}: {advice}")


def _fill(table: npt.NDArray[Any], columns: Iterator[npt.NDArray[Any]]) -> None:
    """Copy the columns into the table."""
    for left in range(0, table.shape[1], _COLUMNS_AT_ONCE):
        group = list(itertools.islice(columns, _COLUMNS_AT_ONCE))
        for top in range(0, table.shape[0], _ROWS_AT_ONCE):
            rows = slice(top, top + _ROWS_AT_ONCE)
            for j, column in enumerate(group, start=left):
                table[rows, j] = column[rows]
