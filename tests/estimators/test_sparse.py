"""Sparse rows: what CSR gives is what the same rows give densely, bit for bit."""

import numpy as np
import pytest
from scipy import sparse

import fastnn as fnn
from estimators.data import classifier, pickled, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def words(n=240, columns=60, dtype=np.float64):
    """Return counts of words, most of them 0, and which of two words is the more."""
    rng = np.random.default_rng(0)
    X = rng.poisson(0.15, size=(n, columns)).astype(dtype)
    return X, (X[:, :30].sum(axis=1) > X[:, 30:].sum(axis=1)).astype(int)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"solver": "lbfgs", "alpha": 1.0},
        {"batch_norm": True, "dropout": 0.2},
        {"layers": [fnn.BatchNorm(), fnn.Dense(8, "relu")]},
        {"early_stopping": True, "class_weight": "balanced"},
        {"hidden_layer_sizes": ()},
    ],
    ids=repr,
)
def test_a_fit_gives_the_same_bits(parameters, dtype):
    X, y = words(dtype=dtype)
    dense = classifier(**parameters).fit(X, y)
    rows = classifier(**parameters).fit(sparse.csr_array(X), y)
    assert rows.net_.dtype == dense.net_.dtype == np.dtype(dtype).name
    assert rows.loss_curve_ == dense.loss_curve_
    assert rows.validation_scores_ == dense.validation_scores_
    for given in (X, sparse.csr_matrix(X)):
        np.testing.assert_array_equal(rows.predict_proba(given), dense.predict_proba(X))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_every_format_and_index(kind, index):
    X, y = words()
    given = sparse.csr_matrix(X)
    given.indices = given.indices.astype(index)
    given.indptr = given.indptr.astype(index)
    given = given.asformat(kind)
    before = given.toarray()
    fitted = classifier(max_iter=5).fit(given, y, X_val=given, y_val=y)
    np.testing.assert_array_equal(given.toarray(), before)
    np.testing.assert_array_equal(
        fitted.predict_proba(given),
        classifier(max_iter=5).fit(X, y).predict_proba(X),
    )


def test_calls_of_partial_fit_may_mix_both():
    X, y = words()
    mixed, dense = classifier(), classifier()
    for k in range(4):
        given = sparse.csr_array(X) if k % 2 else X
        mixed.partial_fit(given, y, classes=[0, 1])
        dense.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(mixed.predict_proba(X), dense.predict_proba(X))
    again = pickled(mixed).partial_fit(sparse.csr_array(X), y)
    np.testing.assert_array_equal(
        again.predict_proba(X), dense.partial_fit(X, y).predict_proba(X)
    )


def test_numbers_from_sparse_rows():
    X, _ = words()
    y = np.c_[X[:, 0] - X[:, 1], X.sum(axis=1)]
    fitted = regressor(max_iter=200).fit(sparse.csr_array(X), y)
    assert fitted.score(sparse.csr_array(X), y) > 0.9


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda X: X.data.__setitem__(3, np.nan), "NaN"),
        (lambda X: X.data.__setitem__(3, np.inf), "infinity"),
    ],
)
def test_broken_rows(break_it, message):
    X, y = words()
    fitted = classifier(max_iter=1).fit(X, y)
    bad = sparse.csr_array(X)
    break_it(bad)
    for use in (lambda: fitted.predict(bad), lambda: fitted.fit(bad, y)):
        with pytest.raises(ValueError, match=message):
            use()
    with pytest.raises(ValueError, match="59 features"):
        fitted.predict(sparse.csr_array(X[:, :59]))
