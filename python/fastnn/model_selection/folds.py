"""Which rows train and which validate, in each fold."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn._config import is_int
from fastnn._native import core
from fastnn.model_selection.held_out import Fold, HeldOut, Numbers

__all__ = [
    "by_time",
    "checked_folds",
    "fold_numbers",
    "from_numbers",
    "grouped",
]

_CONVERT = (
    "convert with np.asarray(time, 'datetime64[ns]') or pandas.to_datetime(time, "
    "utc=True)"
)
_PURPOSE = 4  # the random stream of splits,
_FOLDS = 1  # of which `validation_split` takes another part


def fold_numbers(
    n_rows: int, k: int, labels: npt.NDArray[Any] | None, seed: int
) -> Numbers:
    """Return for each row the fold that it validates in, drawn by the seed.

    Rows in random order, sorted by class if there are labels, are dealt like cards:
    folds differ by one row at most, in total and in each class.

    Raises
    ------
    ValueError
        If a class has fewer rows than there are folds.
    """
    order = core.permutation(n_rows, seed, _FOLDS, _PURPOSE)
    if labels is not None:
        classes, counts = np.unique(labels, return_counts=True)
        few = int(np.argmin(counts))
        if counts[few] < k:
            raise ValueError(
                f"k={k} folds stratified by class need {k} rows of each, but y holds "
                f"class {classes[few]:g} {counts[few]} times: take "
                f"{'fewer folds, ' if counts[few] > 1 else ''}stratify=False or groups="
            )
        order = order[np.argsort(labels[order], kind="stable")]
    numbers = np.empty(n_rows, dtype=np.int64)
    numbers[order] = np.arange(n_rows) % k
    return numbers


def grouped(groups: object, n_rows: int, k: int, seed: int) -> Numbers:
    """Return for each row the fold of its group; folds are as even as groups allow.

    The largest group left goes to the smallest fold; the seed decides between groups
    of one size.

    Raises
    ------
    ValueError
        If there is not one group for each row, or there are fewer groups than folds.
    """
    values = np.asarray(groups)
    if values.shape != (n_rows,):
        raise ValueError(
            f"groups must have shape ({n_rows},), one label per row, got {values.shape}"
        )
    try:
        missing = _missing(values).any()
        names, member, sizes = np.unique(
            values, return_inverse=True, return_counts=True
        )
    except TypeError as error:
        raise TypeError(
            f"groups must hold labels of one kind, such as integers or strings: {error}"
        ) from None
    if missing:
        raise ValueError("groups holds NaN or NaT: give every row a group")
    if len(names) < k:
        raise ValueError(
            f"k={k} folds need at least {k} groups, but groups holds {len(names)}: "
            f"take k <= {len(names)}"
            if len(names) > 1
            else "groups holds one group only: there is nothing to validate on"
        )
    order = core.permutation(len(names), seed, _FOLDS, _PURPOSE)
    order = order[np.argsort(-sizes[order], kind="stable")]
    rows = np.zeros(k, dtype=np.int64)
    fold_of = np.empty(len(names), dtype=np.int64)
    for group in order:
        fold_of[group] = smallest = int(np.argmin(rows))
        rows[smallest] += sizes[group]
    return np.asarray(fold_of[member])


def from_numbers(numbers: Numbers, k: int) -> HeldOut:
    """Return the folds in which each row validates once."""
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=k))
    return HeldOut(len(numbers), np.split(order, ends[:-1]))


def by_time(time: object, n_rows: int, k: int) -> list[Fold]:
    """Return folds that train on the past and validate on what comes next.

    The rows are cut into k + 1 parts of even length; fold i trains on the first i + 1
    and validates on the next. Rows of one time stay in one part.

    Raises
    ------
    ValueError
        If the times are not sorted, or too few differ.
    """
    if k >= n_rows:
        raise ValueError(
            f"k={k} folds by time need at least {k + 1} rows, got {n_rows}: take fewer"
        )
    cuts = np.arange(1, k + 2) * n_rows // (k + 1)
    if time is not True:
        values = _checked_times(time, n_rows)
        starts = np.searchsorted(values, values[cuts[:-1]], side="left")
        cuts = np.append(starts, n_rows)
        if cuts[0] == 0 or (np.diff(cuts) == 0).any():
            raise ValueError(
                f"time: k={k} folds need {k + 1} parts of the rows, none of which "
                "shares a time with the next; too many rows have the same time: take "
                "fewer folds"
            )
    rows = np.arange(n_rows)
    return [(rows[:a], rows[a:b]) for a, b in itertools.pairwise(cuts)]


def _checked_times(time: object, n_rows: int) -> npt.NDArray[Any]:
    values = np.asarray(time)
    if values.shape != (n_rows,):
        raise ValueError(
            f"time must be True (the rows stand in order of time) or have shape "
            f"({n_rows},), one time per row, got {values.shape}"
        )
    if values.dtype == object:
        values = _moments(values)
    elif values.dtype.kind not in "iufM":
        raise TypeError(
            f"time must hold numbers, datetime64 or datetimes, got dtype "
            f"{values.dtype}: {_CONVERT}"
        )
    if _missing(values).any():
        raise ValueError("time holds NaN or NaT: give every row a time")
    try:
        falls = values[1:] < values[:-1]
    except TypeError as error:
        raise TypeError(
            f"time must hold times of one kind: {error}: {_CONVERT}"
        ) from None
    if falls.any():
        row = int(np.argmax(falls)) + 1
        raise ValueError(
            f"time must not fall from row to row, but row {row} is before row "
            f"{row - 1}: sort the rows by time first, order = np.argsort(time, "
            "kind='stable')"
        )
    return values


def _moments(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return dates or datetimes that can be compared, those of a time zone in UTC.

    Python compares datetimes of one zone by their clocks, which go back in autumn.
    """
    moments = np.empty_like(values)
    for row, value in enumerate(values):
        if not isinstance(value, dt.date):  # as datetimes and pandas' times are
            raise TypeError(
                "time must hold numbers, datetime64 or datetimes, but row "
                f"{row} is a {type(value).__name__}, {value!r}: {_CONVERT}"
            )
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            value = value.astimezone(dt.timezone.utc)  # noqa: PLW2901
        moments[row] = value
    return moments


def _missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where NaN or NaT is: they alone differ from themselves."""
    return np.asarray(values != values, dtype=bool)  # noqa: PLR0124


def checked_folds(given: Iterable[Any], n_rows: int) -> Sequence[Fold]:
    """Return folds that a user or a splitter of scikit-learn made.

    Raises
    ------
    TypeError, ValueError
        If they are no pairs of row numbers (or masks), or if a row is in both parts.
    """
    held: list[Numbers] = []
    trains: list[Numbers | None] = []
    for i, pair in enumerate(given):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                f"k: fold {i} must be a pair (rows that train, rows that validate), "
                f"got {type(pair).__name__}"
            )
        train, validation = (
            _row_numbers(f"fold {i}, rows that {what}", rows, n_rows)
            for what, rows in zip(("train", "validate"), pair, strict=True)
        )
        both = np.intersect1d(train, validation)
        if len(both):
            raise ValueError(
                f"k: fold {i} trains and validates on row {both[0]}: keep it in one"
            )
        held.append(validation)
        trains.append(None if _are_all_others(train, validation, n_rows) else train)
    if not held:
        raise ValueError("k: there is no fold: give at least one pair of row numbers")
    others = HeldOut(n_rows, held)
    if all(train is None for train in trains):
        return others
    return [
        others[i] if train is None else (train, held[i])
        for i, train in enumerate(trains)
    ]


def _are_all_others(train: Numbers, validation: Numbers, n_rows: int) -> bool:
    """Whether `train`, which has no row of `validation`, is what HeldOut makes."""
    return bool(
        len(train) + len(np.unique(validation)) == n_rows and (np.diff(train) > 0).all()
    )


def _row_numbers(what: str, rows: object, n_rows: int) -> Numbers:
    array = np.asarray(rows)
    if array.dtype == bool and array.shape == (n_rows,):
        array = np.flatnonzero(array)
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"k: {what}: expected row numbers, (m,), got shape {array.shape}"
        )
    if array.dtype.kind not in "iu" or not is_int(array[0]):
        raise TypeError(f"k: {what}: expected integers, got dtype {array.dtype}")
    bad = (array < 0) | (array >= n_rows)
    if bad.any():
        raise ValueError(
            f"k: {what}: got row {array[bad][0]}, expected 0 to {n_rows - 1}"
        )
    return array.astype(np.int64)
