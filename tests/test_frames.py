"""Data frames: their numbers, at most one copy of them, and errors by column name."""

import datetime as dt
import decimal
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import fastnn as fnn
from fastnn import _validation as v
from fastnn.losses import resolve_loss

pytest.importorskip("narwhals")
try:
    import polars as pl
except ModuleNotFoundError:
    pl = None

LIBRARIES = {"pandas": pd}
if pl is not None:
    LIBRARIES["polars"] = pl

DAY = dt.date(2024, 2, 29)
NUMBERS = {"age": [1, 2, 3], "wide": [0.5, -1.5, 2.5], "member": [True, False, True]}
TABLE = [[1, 0.5, 1], [2, -1.5, 0], [3, 2.5, 1]]


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    """A library with DataFrame and Series, if it is there."""
    if request.param not in LIBRARIES:
        pytest.skip(f"{request.param} is not installed")
    return LIBRARIES[request.param]


def _features(value, dtype="float32"):
    return v.as_features("X", value, dtype, None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_become_a_table(library, dtype):
    result = _features(library.DataFrame(NUMBERS), dtype)
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, TABLE)


def test_many_rows_and_columns(library, rng):
    """More than are put into the table at once."""
    a = rng.normal(size=(5000, 37))
    columns = {f"c{j}": a[:, j] for j in range(37)}
    columns["last"] = np.arange(5000)
    result = _features(library.DataFrame(columns), "float64")
    np.testing.assert_array_equal(result, np.column_stack([a, np.arange(5000)]))


def test_fit_and_predict_as_on_arrays(library, rng):
    a = rng.normal(size=(60, 3))
    y = np.arange(60) % 3
    frame = library.DataFrame({name: a[:, j] for j, name in enumerate("abc")})
    nets = []
    for X, labels, weight in (
        (a, y, y + 1.0),
        (frame, library.Series(y), library.Series(y + 1.0)),
    ):
        net = fnn.Sequential(fnn.Dense(5, "relu"), fnn.Dense(3))
        net.fit(X, labels, sample_weight=weight, validation_data=(X, labels), epochs=2)
        nets.append(net)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    np.testing.assert_array_equal(nets[0].predict(a), nets[1].predict(frame))


def test_targets_in_columns(library, rng):
    a = rng.normal(size=(20, 3))
    frame = library.DataFrame({"u": a[:, 1], "v": a[:, 2]})
    assert (
        v.as_targets("y", frame, resolve_loss("mse"), "float64", 20, 2).tolist()
        == a[:, 1:].tolist()
    )
    one = library.DataFrame({"label": [0, 1, 1]})
    assert v.as_targets(
        "y", one, resolve_loss("cross_entropy"), "float32", 3, 2
    ).tolist() == [0, 1, 1]


MISSING = {
    "integers": [1, None, 3],
    "booleans": [True, None, False],
    "floats": [1.5, None, 2.5],
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_named(library, kind):
    column = MISSING[kind]
    if library is pd:
        types = {"integers": "Int64", "booleans": "boolean", "floats": "Float64"}
        column = pd.array(column, dtype=types[kind])
    frame = library.DataFrame({"whole": [1, 2, 3], kind: column})
    words = rf"NaN.*1 entry.*row 1, column 1 \('{kind}'\)"
    with pytest.raises(ValueError, match=f"^X holds {words}"):
        _features(frame)
    net = fnn.Sequential(fnn.Dense(1)).build(2)
    with pytest.raises(ValueError, match=words):
        net.predict(frame)
    with pytest.raises(ValueError, match=f"^y holds {words}"):
        v.as_targets("y", frame, resolve_loss("mse"), "float32", 3, 2)


def test_numbers_beyond_float32_are_named(library):
    frame = library.DataFrame({"whole": [1, 2], "huge": [1.0, 1e300]})
    words = r"float64 numbers beyond.*float32.*row 1, column 1 \('huge'\)"
    with pytest.raises(ValueError, match=words):
        _features(frame)


# column -> words of the error beside its name
REFUSED = {
    "text": (["a", "b"], ["text", "encode"]),
    "date": ([DAY, DAY], ["turn", "numbers"]),
    "time": (
        [dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)] * 2,
        ["dates or times", "days since"],
    ),
    "span": ([dt.timedelta(1)] * 2, ["durations", "seconds"]),
    "list": ([[1], [2]], ["dtype", "convert"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_columns_that_hold_no_numbers_are_named(library, kind):
    column, words = REFUSED[kind]
    if library is pd and kind == "date":
        column = pd.to_datetime(column)
    with pytest.raises(TypeError) as caught:
        _features(library.DataFrame({"good": [1, 2], "bad": column}))
    for word in ("X must hold real numbers", "column 1 ('bad')", *words):
        assert word in str(caught.value)


def test_categories_are_named(library):
    if library is pd:
        column = pd.Categorical(["u", "v"])
    else:
        column = pl.Series(["u", "v"], dtype=pl.Categorical)
    frame = library.DataFrame({"good": [1, 2], "bad": column})
    with pytest.raises(TypeError, match=r"categories in column 1 \('bad'\): encode"):
        _features(frame)
    with pytest.raises(TypeError, match=r"^y must hold real numbers, got categories:"):
        v.as_targets("y", frame["bad"], resolve_loss("mse"), "float32", 2, 1)


def test_empty_frames(library):
    with pytest.raises(ValueError, match="X has 0 features"):
        _features(library.DataFrame())
    with pytest.raises(ValueError, match="X has 0 rows"):
        _features(library.DataFrame({"a": np.empty(0)}))


@pytest.mark.skipif(pl is None, reason="polars is not installed")
def test_what_only_polars_has():
    wide = pl.DataFrame(
        {
            "decimal": [decimal.Decimal("1.5"), decimal.Decimal(2)],
            "wide": pl.Series([3, 4], dtype=pl.Int128),
        }
    )
    np.testing.assert_array_equal(_features(wide), [[1.5, 3], [2, 4]])
    with pytest.raises(TypeError, match=r"lazy frame.*X\.collect\(\)"):
        _features(wide.lazy())


def test_what_only_pandas_has():
    twice = pd.DataFrame([[1, 0.5], [2, 1.5]], columns=["a", "a"])
    np.testing.assert_array_equal(_features(twice), [[1, 0.5], [2, 1.5]])
    numbered = pd.DataFrame({2: [1, 2], 0: [0.5, np.nan]})
    with pytest.raises(ValueError, match=r"row 1, column 1 \(0\)"):
        _features(numbered)
    sparse = pd.DataFrame({"s": pd.arrays.SparseArray([0.0, 1.0]), "b": [1, 2]})
    np.testing.assert_array_equal(_features(sparse), [[0, 1], [1, 2]])
    with pytest.raises(TypeError, match=r"complex128 in column 1 \('z'\)"):
        _features(pd.DataFrame({"a": [1, 2], "z": [1j, 2]}))


def _pieces(a):
    """A pandas frame of one type whose columns lie apart in memory."""
    frame = pd.DataFrame({"c0": a[:, 0]})
    for j in range(1, a.shape[1]):
        frame[f"c{j}"] = a[:, j].copy()
    return frame


def _copies(a):
    columns = {f"c{j}": a[:, j] for j in range(a.shape[1])}
    mixed = columns | {"c0": np.arange(len(a))}
    frames = {
        "one block": pd.DataFrame(columns),
        "pieces": _pieces(a),
        "mixed": pd.DataFrame(mixed),
        "nullable": pd.DataFrame(columns).astype("Float64"),
    }
    if pl is not None:
        frames |= {"polars": pl.DataFrame(columns), "mixed polars": pl.DataFrame(mixed)}
    return frames


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_most_one_copy(rng, dtype):
    a = rng.normal(size=(20_000, 30))
    size = a.size * np.dtype(dtype).itemsize
    for name, frame in _copies(a).items():
        tracemalloc.start()
        _features(frame, dtype)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1.1 * size, name


def test_a_table_that_is_right_is_not_copied(rng):
    a = rng.normal(size=(10, 3)).astype(np.float32)
    frame = pd.DataFrame(a, copy=False)
    assert np.shares_memory(_features(frame), frame.to_numpy())


_WITHOUT_NARWHALS = """
import sys
sys.modules["narwhals"] = None
import pandas as pd, fastnn as fnn
net = fnn.Sequential(fnn.Dense(1, init=([[1.0, 2.0]], [0.0])))
print(net.predict(pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})).tolist())
try:
    net.predict(pd.DataFrame({"a": ["x"], "b": [1]}))
except ImportError as error:
    print(error)
"""


def test_without_narwhals():
    """Plain frames of pandas need it not; for others an error names the extra."""
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_NARWHALS],
        check=True,
        capture_output=True,
        text=True,
    )
    numbers, message = run.stdout.splitlines()
    assert numbers == "[[2.0], [5.0]]"
    assert "X is a DataFrame of pandas" in message
    assert "pip install 'fastnn[frames]'" in message


def test_narwhals_is_imported_for_frames_alone():
    code = """
import sys, numpy as np, scipy.sparse, fastnn as fnn
net = fnn.Sequential(fnn.Dense(1))
net.fit(np.eye(2), [[0.0], [1.0]], loss="mse", epochs=1)
net.predict(scipy.sparse.csr_array(np.eye(2)))
print("narwhals" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "False"
