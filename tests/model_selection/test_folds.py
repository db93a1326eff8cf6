"""The folds: by definition, by hand, and against scikit-learn's."""

import datetime as dt
import tracemalloc
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnn.model_selection.folds import (
    by_time,
    checked_folds,
    fold_numbers,
    from_numbers,
    grouped,
)

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
_FIRST = dt.datetime.fromisoformat("2020-01-01")
DAYS = [_FIRST + dt.timedelta(i) for i in (0, 0, 1, 2, 3, 3, 4, 5)]


def _check_partition(folds, n):
    """Each row validates once and trains in all other folds."""
    held = np.concatenate([validation for _, validation in folds])
    assert sorted(held) == list(range(n))
    for train, validation in folds:
        assert sorted([*train, *validation]) == list(range(n))


@given(n=st.integers(2, 200), seed=st.integers(0, 2**64 - 1), data=st.data())
def test_random_folds_are_even(n, seed, data):
    k = data.draw(st.integers(2, n))
    folds = from_numbers(fold_numbers(n, k, None, seed), k)
    _check_partition(folds, n)
    sizes = [len(validation) for _, validation in folds]
    assert max(sizes) - min(sizes) <= 1


def test_folds_are_drawn_by_the_seed():
    numbers = [fold_numbers(100, 5, None, seed) for seed in (0, 0, 1)]
    assert (numbers[0] == numbers[1]).all()
    assert (numbers[0] != numbers[2]).any()
    assert (numbers[0] != np.arange(100) % 5).any()


@given(
    counts=st.lists(st.integers(3, 30), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
)
def test_stratified_folds_are_even_in_each_class(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(seed).shuffle(labels)
    numbers = fold_numbers(len(labels), 3, labels, seed)
    _check_partition(from_numbers(numbers, 3), len(labels))
    for chosen in (np.ones(len(labels), bool), *(labels == c for c in set(labels))):
        sizes = np.bincount(numbers[chosen], minlength=3)
        assert sizes.max() - sizes.min() <= 1


@given(
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=20), seed=st.integers(0, 99)
)
def test_groups_stay_together(sizes, seed):
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    np.random.default_rng(seed).shuffle(groups)
    numbers = grouped(groups, len(groups), 3, seed)
    folds = from_numbers(numbers, 3)
    _check_partition(folds, len(groups))
    for train, validation in folds:
        assert len(validation)
        assert not set(groups[train]) & set(groups[validation])
    rows = np.bincount(numbers, minlength=3)
    assert rows.max() - rows.min() <= max(sizes)  # largest first is at most that uneven


def test_groups_by_hand():
    """Sizes 4, 3, 2, 2, 1: to the folds 4 | 3 + 1 | 2 + 2."""
    numbers = grouped([*"aaaabbbccdde"], 12, 3, seed=0)
    rows = sorted(np.bincount(numbers))
    assert rows == [4, 4, 4]
    assert numbers[4] == numbers[11]
    assert numbers[7] == numbers[9]


def test_by_time_is_scikit_learns_expanding_window():
    selection = pytest.importorskip("sklearn.model_selection")
    for n, k in ((60, 5), (12, 2), (10, 9)):
        ours = by_time(True, n, k)
        theirs = selection.TimeSeriesSplit(k).split(np.zeros((n, 1)))
        for fold, (train, validation) in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(fold[0], train)
            np.testing.assert_array_equal(fold[1], validation)


@given(
    times=st.lists(st.integers(0, 15), min_size=12, max_size=60).map(sorted),
    k=st.integers(2, 4),
)
def test_by_time_never_sees_the_future(times, k):
    times = np.array(times, "datetime64[D]")
    try:
        folds = by_time(times, len(times), k)
    except ValueError as error:
        assert "too many rows have the same time" in str(error)  # noqa: PT017
        return
    assert len(folds) == k
    for train, validation in folds:
        assert times[train].max() < times[validation].min()
    assert folds[-1][1][-1] == len(times) - 1
    held = np.concatenate([validation for _, validation in folds])
    np.testing.assert_array_equal(held, np.arange(held[0], len(times)))


def test_masks_and_lists_are_row_numbers():
    mask = np.array([True, False, True])
    ((train, validation),) = checked_folds([(mask, [1])], 3)
    assert (train.tolist(), validation.tolist()) == ([0, 2], [1])
    assert train.dtype == validation.dtype == np.int64


def _pairs(n):
    """What scikit-learn's LeaveOneOut gives, one fold at a time."""
    for i in range(n):
        rows = np.arange(n)
        yield np.delete(rows, i), rows[i : i + 1]


@pytest.mark.parametrize(
    "leave_one_out",
    [lambda n: from_numbers(np.arange(n), n), lambda n: checked_folds(_pairs(n), n)],
    ids=["ours", "a splitter's"],
)
def test_folds_hold_the_rows_that_validate_alone(leave_one_out):
    """The n (n - 1) numbers of the rows that train would be 32 MB."""
    tracemalloc.start()
    try:
        folds = leave_one_out(2000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3e6
    assert len(folds) == 2000
    for i in (0, 3, 1999):
        train, validation = folds[i]
        assert validation.tolist() == [i]
        assert train.tolist() == [*range(i), *range(i + 1, 2000)]
    assert [v.tolist() for _, v in folds[-2:]] == [[1998], [1999]]
    with pytest.raises(IndexError):
        folds[2000]


def test_given_folds_stay_as_they_are():
    """In their order, of some rows, or with one row twice."""
    given = [
        *(([0, 1, 2], [3]), ([2, 0, 1], [3]), ([0, 1], [3])),
        *(([0, 0, 1], [3]), ([0, 1], [3, 2, 2]), ([2], [1, 0, 3])),
    ]
    for pairs in (given, *([pair] for pair in given)):
        folds = checked_folds(iter(pairs), 4)
        found = [(train.tolist(), held.tolist()) for train, held in folds]
        assert found == pairs


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        [day.date() for day in DAYS],
        [day.replace(tzinfo=dt.timezone.utc) for day in DAYS],
        pd.Series(DAYS),
        pd.Series(DAYS).dt.tz_localize("Europe/Berlin"),
        pd.DatetimeIndex(DAYS, tz="Asia/Tokyo"),
        np.array(DAYS, "datetime64[ns]"),
    ],
    ids=lambda times: type(times).__name__,
)
def test_datetimes_of_any_kind_are_times(times):
    """Days 0 0 1 2 3 3 4 5: rows of one day stay together."""
    found = [(len(a), len(b)) for a, b in by_time(times, 8, 3)]
    assert found == [(2, 2), (4, 2), (6, 2)]
    assert [(len(a), len(b)) for a, b in by_time(times, 8, 2)] == [(2, 2), (4, 4)]


def test_an_hour_that_comes_twice_does_not_fall():
    """In autumn clocks go back from 3 to 2: later all the same."""
    utc = dt.timezone.utc
    start, step = (
        dt.datetime(2020, 10, 25, tzinfo=utc),
        dt.timedelta(0, 1800),
    )
    times = [(start + i * step).astimezone(BERLIN) for i in range(6)]
    assert times[2] < times[1], "as Python says of one zone's datetimes"
    assert len(by_time(times, 6, 2)) == 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: fold_numbers(6, 3, np.array([0, 0, 0, 0, 2, 2]), 0),
            ValueError,
            "k=3 folds .* y holds class 2 2 times: take fewer folds, stratify=False",
        ),
        (
            lambda: grouped([1, 2], 3, 2, 0),
            ValueError,
            r"groups must have shape \(3,\)",
        ),
        (
            lambda: grouped([1, 1, 2], 3, 3, 0),
            ValueError,
            "3 groups, but groups holds 2",
        ),
        (lambda: grouped([1, 1, 1], 3, 2, 0), ValueError, "holds one group only"),
        (lambda: grouped([1, None, "a"], 3, 2, 0), TypeError, "labels of one kind"),
        (lambda: grouped([1, np.nan, 2], 3, 2, 0), ValueError, "groups holds NaN"),
        (
            lambda: grouped(np.array(["2020", "NaT", "2021"], "M8[D]"), 3, 2, 0),
            ValueError,
            "groups holds NaN or NaT: give every row",
        ),
        (
            lambda: grouped(np.array(["a", pd.NA, "b"], object), 3, 2, 0),
            TypeError,
            "groups must hold labels of one kind",
        ),
        (
            lambda: grouped(pd.to_datetime(["2020", None, "2021"], utc=True), 3, 2, 0),
            ValueError,
            "groups holds NaN or NaT: give every row",
        ),
        (
            lambda: by_time(pd.to_datetime(["2020", None, "2021"], utc=True), 3, 2),
            ValueError,
            "time holds NaN or NaT: give every row",
        ),
        (lambda: by_time(DAYS[2::-1], 3, 2), ValueError, "row 1 is before row 0: sort"),
        (
            lambda: by_time([DAYS[0], DAYS[1].date(), DAYS[2]], 3, 2),
            TypeError,
            "times of one kind: .*: convert with np.asarray",
        ),
        (
            lambda: by_time([DAYS[0], DAYS[1].astimezone(BERLIN)] * 2, 4, 2),
            TypeError,
            "times of one kind: .*: convert with np.asarray",
        ),
        (
            lambda: by_time(np.array([DAYS[0], "2020", 3], object), 3, 2),
            TypeError,
            "row 1 is a str, '2020': convert with np.asarray",
        ),
        (lambda: by_time(["a", "b", "c"], 3, 2), TypeError, "dtype <U1: convert with"),
        (lambda: by_time([0, 2, 1], 3, 2), ValueError, "row 2 is before row 1: sort"),
        (lambda: by_time([0, 1], 3, 2), ValueError, r"have shape \(3,\), one time per"),
        (lambda: by_time([0, np.nan, 1], 3, 2), ValueError, "time holds NaN or NaT"),
        (
            lambda: by_time(np.array(["2020", "NaT", "2021"], "M8[Y]"), 3, 2),
            ValueError,
            "time holds NaN or NaT",
        ),
        (
            lambda: by_time([0, 0, 0, 1], 4, 2),
            ValueError,
            "too many rows have the same",
        ),
        (lambda: by_time(True, 3, 3), ValueError, "need at least 4 rows, got 3"),
        (lambda: checked_folds([], 3), ValueError, "k: there is no fold"),
        (lambda: checked_folds([[0, 1, 2]], 3), TypeError, "fold 0 must be a pair"),
        (
            lambda: checked_folds([([0], [3])], 3),
            ValueError,
            "got row 3, expected 0 to",
        ),
        (lambda: checked_folds([([-1], [0])], 3), ValueError, "got row -1"),
        (lambda: checked_folds([([0.5], [1])], 3), TypeError, "expected integers, got"),
        (lambda: checked_folds([([], [1])], 3), ValueError, "fold 0, rows that train"),
        (lambda: checked_folds([([0, 1], [1])], 3), ValueError, "validates on row 1"),
        (lambda: checked_folds([([True, False], [1])], 3), TypeError, "dtype bool"),
    ],
)
def test_unusable_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()
