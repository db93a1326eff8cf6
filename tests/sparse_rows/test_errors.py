"""What is wrong with a sparse X: one clear error, and the matrix as it was."""

import copy
import threading

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from fastnn import _validation as v
from sparse_rows.matrices import sparse

DENSE = np.array([[1.0, 0, 2], [0, 0, 0], [0, 3, 0], [4, 0, 5]])


def _csr(**changes):
    """A small matrix with some of its arrays overwritten, as no constructor allows."""
    a = scipy.sparse.csr_array(DENSE)
    for name, change in changes.items():
        setattr(a, name, change(getattr(a, name).copy()))
    return a


def _put(position, value):
    def change(a):
        a[position] = value
        return a

    return change


def _broken(form, **changes):
    a = scipy.sparse.csr_array(DENSE).asformat(form)
    for name, change in changes.items():
        getattr(a, name)[...] = change(getattr(a, name).copy())
    return a


class _Foreign:
    """A sparse matrix of another library."""

    shape = DENSE.shape

    def tocsr(self):
        return scipy.sparse.csr_array(DENSE)


ERRORS = {
    "column beyond": (
        _csr(indices=_put(2, 3)),
        ["X is a broken", "indices[2] is 3", "row 2", "3 columns", "anew"],
    ),
    "column below": (_csr(indices=_put(0, -1)), ["indices[0] is -1", "row 0"]),
    "64-bit column": (
        _csr(
            indices=lambda a: _put(0, 2**32)(a.astype(np.int64)),
            indptr=lambda a: a.astype(np.int64),
        ),
        ["indices[0] is 4294967296"],
    ),
    "rows descend": (_csr(indptr=_put(2, 1)), ["indptr[2] is 1", "from 2"]),
    "rows begin late": (_csr(indptr=_put(0, 1)), ["indptr[0] is 1", "expected 0"]),
    "rows below 0": (_csr(indptr=_put(0, -1)), ["indptr[0] is -1", "expected 0"]),
    "too many nonzeros": (_csr(indptr=_put(4, 99)), ["indptr[4] is 99", "to 5"]),
    "too few rows": (_csr(indptr=lambda a: a[:3]), ["indptr has shape (3,)", "4 rows"]),
    "no rows at all": (_csr(indptr=lambda a: a[:0]), ["indptr has shape (0,)"]),
    "too few columns": (_csr(indices=lambda a: a[:4]), ["indices has 4", "the 5"]),
    "too few values": (_csr(data=lambda a: a[:4]), ["indptr[4] is 5", "to 4"]),
    "no integers": (_csr(indices=lambda a: a.astype(float)), ["int32 or int64"]),
    "csc beyond": (
        _broken("csc", indices=_put(0, 4)),
        ["indices[0] is 4", "from 0 to 3", "anew"],
    ),
    "csc descends": (_broken("csc", indptr=_put(1, 5)), ["indptr does not ascend"]),
    "bsr beyond": (_broken("bsr", indices=_put(0, 99)), ["indices[0] is 99"]),
    "coo beyond": (_broken("coo", row=_put(1, 7)), ["row[1] is 7", "0 to 3"]),
    "coo below": (_broken("coo", col=_put(1, -7)), ["col[1] is -7", "0 to 2"]),
    "nan": (
        _csr(data=_put(2, np.nan)),
        ["NaN", "1 entry", "row 2, column 1", "drop these rows"],
    ),
    "infinity": (
        _csr(data=_put([3, 4], [-np.inf, np.inf])),
        ["infinity", "2 entries", "row 3, column 0"],
    ),
    "beyond float32": (
        _csr(data=_put(4, 1e300)),
        ["float64 numbers beyond the range of float32", "row 3, column 2"],
    ),
    "more features": (
        scipy.sparse.csr_array(np.ones((4, 5))),
        ["5 features", "expects 3"],
    ),
    "no rows": (scipy.sparse.csr_array((0, 3)), ["X has 0 rows"]),
    "no features": (scipy.sparse.csr_array((4, 0)), ["X has 0 features"]),
    "one dimension": (scipy.sparse.coo_array([1.0, 0, 2]), ["(3,)", "reshape(1, -1)"]),
}

TYPE_ERRORS = {
    "complex": (_csr(data=lambda a: a * 1j), ["values of X", "complex", "real"]),
    "objects": (_csr(data=lambda a: a.astype(object)), ["values of X", "object"]),
    "masked": (_csr(data=lambda a: np.ma.masked_equal(a, 3)), ["masked"]),
}


def _net():
    return fnn.Sequential(fnn.Dense(2)).build(3)


CALLS = {
    "fit": lambda net, X: net.fit(X, [0, 1, 0, 1][: X.shape[0]]),
    "predict": lambda net, X: net.predict(X),
    "hidden": lambda net, X: net.hidden(X, 0),
    "evaluate": lambda net, X: net.evaluate(X, [0, 1, 0, 1], loss="cross_entropy"),
    "step": lambda net, X: fnn.Trainer(net).step(X, [0, 1, 0, 1]),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("case", [*ERRORS, *TYPE_ERRORS])
def test_refused(case, call):
    error = TypeError if case in TYPE_ERRORS else ValueError
    X, words = {**ERRORS, **TYPE_ERRORS}[case]
    before, net = copy.deepcopy(X), _net()
    parameters = net.parameters.copy()
    with pytest.raises(error) as caught:
        CALLS[call](net, X)
    for word in words:
        assert word in str(caught.value)
    np.testing.assert_array_equal(net.parameters, parameters)
    for name in ("data", "indices", "indptr"):
        if hasattr(X, name):
            assert getattr(X, name).tobytes() == getattr(before, name).tobytes()


def test_validation_data_is_named():
    with pytest.raises(ValueError, match=r"validation_data\[0\] is a broken"):
        _net().fit(DENSE, [0, 1, 0, 1], validation_data=(_csr(indices=_put(0, 9)), [0]))


def test_only_features_may_be_sparse():
    X = scipy.sparse.csr_array(DENSE)
    with pytest.raises(TypeError, match=r"y is a sparse matrix.*y\.toarray"):
        _net().fit(X, X, loss="mse")
    with pytest.raises(TypeError, match="sample_weight is a sparse matrix"):
        _net().fit(X, [0, 1, 0, 1], sample_weight=X)


def test_other_libraries_are_asked_for_csr():
    np.testing.assert_array_equal(
        _net().predict(_Foreign()), _net().predict(DENSE.astype(np.float32))
    )


def test_an_untouched_matrix_is_copied_in_part():
    """The values are the user's own; where they stand is a copy."""
    X = scipy.sparse.csr_array(DENSE.astype(np.float32))
    rows = v.as_features("X", X, "float32", 3)
    assert np.shares_memory(rows.values, X.data)
    for ours, theirs in ((rows.starts, X.indptr), (rows.columns, X.indices)):
        assert not np.shares_memory(ours, theirs)
        assert not ours.flags.writeable
        np.testing.assert_array_equal(ours, theirs)
    assert rows.shape == (4, 3)
    assert len(rows) == 4


def test_some_rows():
    rows = v.as_features("X", scipy.sparse.csr_array(DENSE), "float64", 3)
    some = rows.rows(np.array([3, 1, 3]))
    assert some.starts.tolist() == [0, 2, 2, 4]
    assert some.columns.tolist() == [0, 2, 0, 2]
    assert some.values.tolist() == [4, 5, 4, 5]
    with pytest.raises(ValueError, match="row number must be from 0 to 3, got 4"):
        rows.rows(np.array([4]))


def test_the_matrix_may_change_while_a_fit_runs(rng):
    """Another thread writes nonsense: the numbers are wrong then, the memory safe."""
    X, y = sparse(rng, 400, 300, dtype="float32"), rng.integers(0, 2, size=400)
    net = fnn.Sequential(fnn.Dense(30, "relu"), fnn.Dense(2))
    begun, done = threading.Event(), threading.Event()

    def overwrite():
        begun.wait()
        while not done.is_set():
            X.indices[:], X.indptr[:], X.data[:] = 2**30, -(2**30), 0.5

    thread = threading.Thread(target=overwrite)
    thread.start()
    net.fit(X, y, epochs=30, callbacks=[lambda _: begun.set()])
    done.set()
    thread.join()
    assert np.isfinite(net.parameters).all()
