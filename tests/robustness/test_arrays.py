"""Every entry point with every kind of array: the plain array's result, or an error.

The numbers are eighths of small integers, which every dtype below holds exactly.
"""

import re

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits

ROWS, COLUMNS, CLASSES = 24, 5, 3
_RNG = np.random.default_rng(11)
X = _RNG.integers(-8, 9, (ROWS, COLUMNS)) / 8
LABELS = np.arange(ROWS) % CLASSES
VALUES = _RNG.integers(0, 9, (ROWS, CLASSES)) / 8
WEIGHTS = _RNG.integers(1, 9, ROWS) / 8


def _net():
    layers = (fnn.Dense(4, "tanh"), fnn.BatchNorm(), fnn.Dense(CLASSES))
    return fnn.Sequential(*layers).build(COLUMNS)


def _fitted(*data, **options):
    net = _net()
    net.fit(*data, **{"epochs": 2, "batch_size": 8, **options})
    return bits(net)


def _stepped(*data):
    net = _net()
    loss = fnn.Trainer(net).step(*data)
    return loss, bits(net)


def _loaded(array):
    net = _net()
    net.load_state_dict({"2.bias": array}, strict=False)
    return bits(net)


CE = {"loss": "cross_entropy"}

# name: (call, a good array for it, what errors call it)
ENTRIES = {
    "fit X": (lambda a: _fitted(a, LABELS), X, "X"),
    "fit labels": (lambda a: _fitted(X, a), LABELS, "y"),
    "fit values": (lambda a: _fitted(X, a, loss="mse"), VALUES, "y"),
    "fit weights": (
        lambda a: _fitted(X, LABELS, sample_weight=a),
        WEIGHTS,
        "sample_weight",
    ),
    "fit class weights": (
        lambda a: _fitted(X, LABELS, class_weight=a),
        WEIGHTS[:CLASSES],
        "class_weight",
    ),
    "validation X": (
        lambda a: _fitted(X, LABELS, validation_data=(a, LABELS), early_stopping=True),
        X,
        "validation_data[0]",
    ),
    "validation y": (
        lambda a: _fitted(X, LABELS, validation_data=(X, a), early_stopping=True),
        LABELS,
        "validation_data[1]",
    ),
    "step X": (lambda a: _stepped(a, LABELS), X, "X"),
    "step labels": (lambda a: _stepped(X, a), LABELS, "y"),
    "step weights": (lambda a: _stepped(X, LABELS, a), WEIGHTS, "sample_weight"),
    "predict": (lambda a: _net().predict(a), X, "X"),
    "hidden": (lambda a: _net().hidden(a, 1), X, "X"),
    "evaluate X": (lambda a: _net().evaluate(a, LABELS, **CE), X, "X"),
    "evaluate labels": (
        lambda a: _net().evaluate(X, a, metrics=["auc", "accuracy"], **CE),
        LABELS,
        "y",
    ),
    "evaluate weights": (
        lambda a: _net().evaluate(X, LABELS, sample_weight=a, **CE),
        WEIGHTS,
        "sample_weight",
    ),
    "gradients X": (lambda a: _net().loss_and_gradients(a, LABELS, **CE), X, "X"),
    "gradients y": (
        lambda a: _net().loss_and_gradients(X, a, loss="mse"),
        VALUES,
        "y",
    ),
}


def _spaced(a):
    wide = np.full([3 * n for n in a.shape], 77, a.dtype)
    view = wide[tuple(slice(0, 3 * n, 3) for n in a.shape)]
    view[...] = a
    return view


def _misaligned(a):
    raw = np.zeros(a.nbytes + 1, np.uint8)
    copy = raw[1:].view(a.dtype).reshape(a.shape)
    copy[...] = a
    return copy


def _read_only(a):
    a = a.copy()
    a.setflags(write=False)
    return a


def _mapped(a, path):
    path = path / "array.npy"
    np.save(path, a)
    return np.load(path, mmap_mode="r")


class _Subclass(np.ndarray):
    """An array that is proud of its class."""

    def __array_finalize__(self, obj):
        self.note = getattr(obj, "note", "mine")

    def __getitem__(self, key):  # the engine reads memory, not this
        raise AssertionError("asked for items")


class _Arrayable:
    """No array, but it knows how to become one."""

    def __init__(self, a):
        self._a = a

    def __array__(self, dtype=None, copy=None):
        return self._a if dtype is None else self._a.astype(dtype)

    def __len__(self):
        return len(self._a)


SAME = {
    "negative strides": lambda a, _: a[::-1].copy()[::-1],
    "all strides negative": lambda a, _: np.flip(np.flip(a).copy()),
    "fortran order": lambda a, _: np.asfortranarray(a),
    "spaced": lambda a, _: _spaced(a),
    "misaligned": lambda a, _: _misaligned(a),
    "big endian": lambda a, _: a.astype(a.dtype.newbyteorder(">")),
    "little endian": lambda a, _: a.astype(a.dtype.newbyteorder("<")),
    "read only": lambda a, _: _read_only(a),
    "memory mapped": _mapped,
    "subclass": lambda a, _: a.view(_Subclass),
    "nested lists": lambda a, _: a.tolist(),
    "__array__": lambda a, _: _Arrayable(a),
    "float16": lambda a, _: a.astype(np.float16),
    "float32": lambda a, _: a.astype(np.float32),
    "float64": lambda a, _: a.astype(np.float64),
    "longdouble": lambda a, _: a.astype(np.longdouble),
    "big endian float32": lambda a, _: a.astype(">f4"),
}


def _assert_same_bits(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            _assert_same_bits(a[key], b[key])
    elif isinstance(a, tuple):
        for one, other in zip(a, b, strict=True):
            _assert_same_bits(one, other)
    else:
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", SAME)
@pytest.mark.parametrize("entry", ENTRIES)
def test_any_memory_and_any_dtype_give_the_bits_of_the_plain_array(
    entry, kind, tmp_path
):
    call, good, _ = ENTRIES[entry]
    before = good.copy()
    _assert_same_bits(call(SAME[kind](good, tmp_path)), call(good))
    np.testing.assert_array_equal(good, before)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"])
def test_integers_of_any_width(dtype):
    numbers = np.arange(ROWS) % 2
    table = np.outer(numbers, np.arange(COLUMNS) % 2)
    wanted = _fitted(table.astype(float), numbers)
    _assert_same_bits(_fitted(table.astype(dtype), numbers.astype(dtype)), wanted)


def test_broadcast_rows():
    rows = np.broadcast_to(X[0], (ROWS, COLUMNS))
    _assert_same_bits(_fitted(rows, LABELS), _fitted(rows.copy(), LABELS))
    ones = np.broadcast_to(np.float32(1.0), (ROWS,))
    _assert_same_bits(_fitted(X, LABELS, sample_weight=ones), _fitted(X, LABELS))


# What no entry point can use, made of an array that is right.
REFUSED = {
    "0-d": lambda a: a.flat[0],
    "0-d array": lambda a: np.array(a.flat[0]),
    "no rows": lambda a: a[:0],
    "a row too few": lambda a: a[:-1],
    "four dimensions": lambda a: a[(None, None) + (slice(None),) * a.ndim],
    "complex": lambda a: a.astype(complex),
    "objects": lambda a: np.full(a.shape, None),
    "dates": lambda a: np.zeros(a.shape, "M8[D]"),
    "durations": lambda a: np.zeros(a.shape, "m8[s]"),
    "text": lambda a: a.astype(str),
    "bytes": lambda a: a.astype("S"),
    "a record": lambda a: np.zeros(a.shape, [("a", "f4")]),
    "masked": np.ma.masked_array,
    "NaN": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 1, np.nan, a),
    "infinity": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 1, np.inf, a),
    "huge": lambda a: np.full(a.shape, 1e300),
    "huge integers": lambda a: np.full(a.shape, 2**63, dtype=np.uint64),
    "beyond float64": lambda a: np.full(a.shape, np.finfo(np.longdouble).max),
    "text instead": lambda _: "abc",
    "a dict": lambda a: {"a": a},
    "a set": lambda _: {1, 2},
    "a generator": lambda a: (row for row in a),
    "a function": lambda _: len,
    "ragged": lambda _: [[1.0], [1.0, 2.0]],
}
FINE = {  # entry -> what it may use after all
    "huge integers": {"fit X", "fit values", "fit weights", "fit class weights"}
    | {"validation X", "step X", "step weights", "predict", "hidden", "evaluate X"}
    | {"evaluate weights", "gradients X", "gradients y"},
    "a row too few": {"predict", "hidden"},
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_cannot_be_used_is_an_error_that_names_the_argument(entry):
    call, good, argument = ENTRIES[entry]
    for name, change in REFUSED.items():
        if entry in FINE.get(name, ()):
            continue
        with pytest.raises((ValueError, TypeError)) as caught:
            call(change(good))
        said = str(caught.value)
        if name == "a row too few":  # of X or of y, who can tell
            assert " rows" in said or " weight" in said, said
        else:
            assert re.search(rf"(?<!\w){re.escape(argument)}(?!\w)", said), (name, said)
        assert len(said) < 400, (name, said)
        assert "incompatible function arguments" not in said, name


@pytest.mark.parametrize("shape", [(0, COLUMNS), (ROWS, 0), (0, 0)])
@pytest.mark.parametrize("call", ["fit", "predict"])
def test_no_rows_or_no_columns(call, shape):
    empty = np.zeros(shape, np.float32)
    net = fnn.Sequential(fnn.Dense(2))
    with pytest.raises((ValueError, fnn.NotBuiltError), match=re.escape("X")) as caught:
        net.fit(empty, LABELS[: shape[0]]) if call == "fit" else _net().predict(empty)
    assert str(shape) in str(caught.value) or "0" in str(caught.value)
    assert net._native is None


# -- numbers at the edge --------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_numbers_of_the_dtype(dtype):
    """Finite, so they are taken: infinite outputs, or a divergence that says so."""
    largest = np.finfo(dtype).max
    rows = np.full((ROWS, COLUMNS), largest, dtype)
    rows[::2] *= -1
    net = fnn.Sequential(fnn.Dense(CLASSES), dtype=dtype).build(COLUMNS)
    before = bits(net)
    with pytest.raises(fnn.DivergedError):
        net.fit(rows, LABELS, epochs=1)
    assert bits(net) == before
    with np.errstate(all="ignore"):
        assert net.predict(rows).shape == (ROWS, CLASSES)
        assert np.isfinite(net.predict(X)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_smallest_numbers_of_the_dtype(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    rows = np.full((ROWS, COLUMNS), tiny, dtype)
    net = fnn.Sequential(fnn.Dense(4), fnn.BatchNorm(), fnn.Dense(CLASSES), dtype=dtype)
    net.fit(rows, LABELS, epochs=2)
    assert np.isfinite(net.predict(rows)).all()
    assert np.float64(tiny) > 0  # the caller's own denormals are alive
    assert tiny * 1.0 > 0
