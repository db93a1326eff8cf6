"""What a user passes: every layout gives one answer, every mistake one clear error."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import fastnn as fnn
from fastnn import _validation as v
from fastnn.losses import resolve_loss
from strategies import LAYOUTS, features, layouts

CE, BCE, MSE = map(resolve_loss, ("cross_entropy", "binary_cross_entropy", "mse"))
X = np.arange(12.0).reshape(4, 3)


def _with(position, value, like=X):
    changed = np.array(like, dtype=float)
    changed[position] = value
    return changed


def _features(value, in_features=3, dtype="float32"):
    return v.as_features("X", value, dtype, in_features)


def _targets(value, loss, n_outputs=3, n_rows=4):
    return v.as_targets("y", value, loss, "float32", n_rows, n_outputs)


def _weights(value):
    return v.as_sample_weight("sample_weight", value, "float32", 4)


def _classes(value, y=(0, 1, 2, 1), loss=CE, n_outputs=3):
    targets = _targets(np.array(y), loss, n_outputs)
    return v.as_class_weight(value, targets, loss, "float32", n_outputs)


# -- what is accepted -----------------------------------------------------------------


@given(features(), layouts(), st.sampled_from(["float32", "float64"]))
def test_layouts_and_types_give_the_plain_copy(a, layout, dtype):
    result = _features(LAYOUTS[layout](a), dtype=dtype)
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    assert result.flags.aligned
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, a.astype(dtype))


@given(features(columns=3), layouts())
def test_predict_does_not_depend_on_the_layout(a, layout):
    net = fnn.Sequential(fnn.Dense(4, "tanh"), fnn.Dense(2), seed=1).build(3)
    expected = net.predict(np.ascontiguousarray(a, np.float32))
    np.testing.assert_array_equal(net.predict(LAYOUTS[layout](a)), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
def test_fit_does_not_depend_on_the_layout(layout, loss, rng):
    features = rng.integers(0, 5, size=(10, 3)).astype(np.float64)
    y = np.arange(10) % 2
    weight = np.array([1.0, 2.0] * 5)
    n_outputs = 2 if loss == "cross_entropy" else 1
    nets = []
    for change in (LAYOUTS["c"], LAYOUTS[layout]):
        net = fnn.Sequential(fnn.Dense(4, "relu"), fnn.Dense(n_outputs))
        net.fit(change(features), change(y), loss=loss, sample_weight=change(weight))
        nets.append(net)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_right_arrays_are_not_copied():
    a = np.ones((4, 3), np.float32)
    assert np.shares_memory(_features(a), a)
    labels = np.zeros(4, np.int32)
    assert np.shares_memory(_targets(labels, CE), labels)
    column = np.ones(4, np.float32)
    assert np.shares_memory(_targets(column, MSE, 1), column)
    assert np.shares_memory(_weights(column), column)


def test_inputs_are_never_written_to():
    a = _with((0, 0), 1.5)
    before = a.copy()
    net = fnn.Sequential(fnn.Dense(1))
    net.fit(a, a[:, 0], loss="mse", epochs=2, validation_split=0.5)
    np.testing.assert_array_equal(a, before)


def test_frames_and_lists():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [True, False]})
    np.testing.assert_array_equal(
        _features(frame.astype(float)), [[1, 0.5, 1], [2, 1.5, 0]]
    )
    np.testing.assert_array_equal(_targets(pd.Series([0, 1, 2, 0]), CE), [0, 1, 2, 0])
    np.testing.assert_array_equal(_features([[1, 2, 3]]), [[1, 2, 3]])


def test_frames_with_nullable_columns():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": [5.5, 6.5]})
    nullable = frame.astype({"a": "Int64", "b": "boolean", "c": "Float32"})
    np.testing.assert_array_equal(_features(nullable), [[1, 1, 5.5], [2, 0, 6.5]])
    labels = pd.Series([0, 1, 2, 1], dtype="Int8")
    np.testing.assert_array_equal(_targets(labels, CE), labels)
    nullable.loc[1, "a"] = pd.NA
    with pytest.raises(ValueError, match=r"NaN.*1 entry.*row 1, column 0"):
        _features(nullable)


def test_numbers_whose_squares_overflow_are_finite():
    a = _with((0, 0), 3e38)
    np.testing.assert_array_equal(_features(a), a.astype(np.float32))


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, 2, 1],
        np.array([0.0, 1.0, 2.0, 1.0]),
        np.array([[0], [1], [2], [1]]),
        np.array([0, 1, 2, 1], np.uint8),
    ],
)
def test_labels(y):
    labels = _targets(y, CE)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, [0, 1, 2, 1])


def test_boolean_labels_and_one_hot_rows():
    np.testing.assert_array_equal(
        _targets(np.array([True, False, True, False]), CE, 2), [1, 0, 1, 0]
    )
    one_hot = np.eye(3, dtype=int)[[0, 1, 2, 1]]
    np.testing.assert_array_equal(_targets(one_hot, CE), one_hot)


def test_one_output_takes_flat_targets():
    for loss in (MSE, BCE):
        assert _targets([0, 1, 1, 0], loss, 1).shape == (4, 1)
        assert _targets([[0], [1], [1], [0]], loss, 1).shape == (4, 1)


def test_class_weights_by_hand():
    # counts 1, 2, 1 of 4 rows in 3 classes: 4 / (3 * count)
    np.testing.assert_allclose(_classes("balanced"), [4 / 3, 2 / 3, 4 / 3, 2 / 3])
    np.testing.assert_array_equal(_classes([1, 2, 3]), [1, 2, 3, 2])
    np.testing.assert_array_equal(_classes({0: 5, 1: 0.5, 2: 1}), [5, 0.5, 1, 0.5])
    np.testing.assert_array_equal(
        _classes({0: 5, 1: 2}, y=(0, 1, 1, 0), loss=BCE, n_outputs=1), [5, 2, 2, 5]
    )
    # a class that y lacks may be left out; the others count as all there are
    np.testing.assert_array_equal(_classes({0: 5, 1: 2}, y=(0, 1, 1, 0)), [5, 2, 2, 5])
    np.testing.assert_array_equal(_classes("balanced", y=(0, 1, 1, 0)), np.ones(4))


# -- what is refused ------------------------------------------------------------------

FEATURE_ERRORS = [
    (None, TypeError, ["X", "NoneType", "array"]),
    ("text", TypeError, ["X", "str"]),
    ({"a": 1}, TypeError, ["X", "dict"]),
    (object(), TypeError, ["X", "object"]),
    ((i for i in range(3)), TypeError, ["X", "generator"]),
    ([[1, 2, 3], [1, 2]], ValueError, ["X", "same length"]),
    (X.astype(object), TypeError, ["X", "dtype object", "astype(float)"]),
    (X.astype(str), TypeError, ["X", "dtype <U", "encode"]),
    (X.astype("M8[s]"), TypeError, ["X", "datetime64", "dates"]),
    (X.astype("m8[s]"), TypeError, ["X", "timedelta64", "durations"]),
    (X + 1j, TypeError, ["X", "complex128", "imaginary"]),
    (np.zeros(4, [("a", float)]), TypeError, ["X", "'a'"]),
    (np.ma.masked_less(X, 3), TypeError, ["X", "masked", "filled"]),
    (pd.DataFrame({"a": ["x", "y"]}), TypeError, ["X", "text", "encode"]),
    (pd.DataFrame({"a": [object()]}), TypeError, ["X", "dtype object", "convert"]),
    (3.0, ValueError, ["X", "two-dimensional", "()"]),
    (X[0], ValueError, ["X", "(3,)", "reshape(1, -1)"]),
    (np.ones(5), ValueError, ["X", "(5,)", "reshape(-1, 1)"]),
    (np.ones((2, 3, 4)), ValueError, ["X", "(2, 3, 4)", "reshape(len(X), -1)"]),
    (np.ones((4, 2)), ValueError, ["X", "2 features", "expects 3"]),
    (np.ones((0, 3)), ValueError, ["X", "0 rows"]),
    (np.ones((4, 0)), ValueError, ["X", "0 features"]),
    (_with((2, 1), np.nan), ValueError, ["X", "NaN", "1 entry", "row 2, column 1"]),
    (_with(([1, 3], 0), np.inf), ValueError, ["2 entries", "row 1, column 0"]),
    (_with((0, 2), -np.inf), ValueError, ["X", "infinity", "row 0, column 2"]),
    (
        _with((1, slice(None)), 1e39),
        ValueError,
        ["X", "float64", "float32", "3 entries", "row 1, column 0", 'dtype="float64"'],
    ),
]


@pytest.mark.parametrize(("value", "error", "words"), FEATURE_ERRORS)
def test_features_refused(value, error, words):
    with pytest.raises(error) as caught:
        _features(value)
    for word in words:
        assert word in str(caught.value)


def test_a_flat_array_for_one_feature():
    with pytest.raises(ValueError, match=r"reshape\(-1, 1\) makes each number a row"):
        _features(np.ones(5), in_features=1)


def test_large_numbers_fit_a_float64_network():
    assert _features(_with((0, 0), 1e39), dtype="float64")[0, 0] == 1e39
    with pytest.raises(ValueError, match="infinity"):
        _features(_with((0, 0), np.inf), dtype="float64")


TARGET_ERRORS = [
    (CE, None, TypeError, ["y", "NoneType"]),
    (CE, ["a", "b", "a", "b"], TypeError, ["y", "np.unique"]),
    (CE, pd.Series(list("abab")), TypeError, ["y", "text", "np.unique"]),
    (BCE, scipy.sparse.csr_matrix(X), TypeError, ["y", "csr_matrix", "y.toarray()"]),
    (MSE, scipy.sparse.coo_array(X), TypeError, ["y", "coo_array", "only X may be"]),
    (CE, [0, 1, 2], ValueError, ["y", "3 rows", "4"]),
    (CE, 1, ValueError, ["y", "no rows", "4"]),
    (CE, [0, 1, 2, 3], ValueError, ["label 3", "row 3", "3 outputs", "4 units"]),
    (CE, [1, 2, 3, 1], ValueError, ["label 3", "count from 1", "y - 1"]),
    (CE, [0, 1, -1, -2], ValueError, ["label -1", "2 entries", "row 2", "0 to 2"]),
    (CE, [0, 1, 1.5, 2], ValueError, ["integer labels", "1.5", "row 2", "mse"]),
    (CE, [0, np.nan, 1, 2], ValueError, ["NaN", "row 1", "label"]),
    (CE, np.ones((4, 2)), ValueError, ["(4, 2)", "3 outputs", "(4, 3)"]),
    (CE, np.ones((4, 3, 1)), ValueError, ["(4, 3, 1)"]),
    (CE, np.full((4, 3), 0.5), ValueError, ["sum to 1", "1.5", "row 0"]),
    (
        CE,
        [[1, 0, 0], [2, -1, 0], [1, 0, 0], [1, 0, 0]],
        ValueError,
        ["probabilities >= 0", "-1", "row 1, column 1"],
    ),
    (MSE, [1.0, 2.0, 3.0, 4.0], ValueError, ["(4,)", "'mse'", "(4, 3)"]),
    (MSE, np.ones((4, 2)), ValueError, ["(4, 2)", "(4, 3)"]),
    (MSE, _with((3, 2), np.nan), ValueError, ["y", "NaN", "row 3, column 2"]),
    (MSE, _with((3, 2), 1e200), ValueError, ["y", "beyond the range"]),
    (BCE, [0, 1, 1, 0], ValueError, ["(4,)", "(4, 3)"]),
    (BCE, _with((0, 0), 2.0, X / 11), ValueError, ["[0, 1]", "2.0", "row 0, column 0"]),
    (BCE, [[0, 1, 3]] * 4, ValueError, ["[0, 1]", "cross_entropy"]),
    (BCE, [[1, -1, 1]] * 4, ValueError, ["[0, 1]", "-1", "y > 0"]),
]


@pytest.mark.parametrize(("loss", "value", "error", "words"), TARGET_ERRORS)
def test_targets_refused(loss, value, error, words):
    with pytest.raises(error) as caught:
        _targets(value, loss)
    for word in words:
        assert word in str(caught.value)


def test_minus_one_and_one_for_two_classes():
    with pytest.raises(ValueError, match="pass y > 0"):
        _targets([-1, 1, 1, -1], CE, 2)


WEIGHT_ERRORS = [
    (_weights, 1.0, ValueError, ["sample_weight", "(4,)", "()"]),
    (_weights, [1, 2, 3], ValueError, ["sample_weight", "(4,)", "(3,)"]),
    (_weights, np.ones((4, 1)), ValueError, ["(4,)", "(4, 1)"]),
    (_weights, [1, 2, -3, 4], ValueError, ["sample_weight", ">= 0", "-3", "row 2"]),
    (_weights, [1, np.nan, 1, 1], ValueError, ["sample_weight", "NaN", "row 1"]),
    (_weights, [0, 0, 0, 0], ValueError, ["sample_weight", "zero for every row"]),
    (_weights, ["1"] * 4, TypeError, ["sample_weight", "dtype"]),
    (_classes, "balance", ValueError, ["class_weight", "'balanced'"]),
    (_classes, [1, 2], ValueError, ["class_weight", "3 classes", "(2,)"]),
    (_classes, 2.0, ValueError, ["class_weight", "(3,)", "()"]),
    (_classes, {0: 1, 1: 1, 5: 1}, ValueError, ["class 5", "0 to 2"]),
    (_classes, {0: 1, 1: 1, "2": 1}, ValueError, ["class '2'", "0 to 2"]),
    (_classes, {0: 1, 1: 1}, ValueError, ["lacks class 2"]),
    (_classes, {0: 1, 1: -1, 2: 1}, ValueError, ["class_weight", "-1", "class 1"]),
    (_classes, {0: 1, 1: "x", 2: 1}, TypeError, ["class_weight[1]"]),
    (_classes, {0: 1, 1: [1, 2], 2: 1}, TypeError, ["class_weight[1]", "be a number"]),
    (_classes, [1, np.inf, 1], ValueError, ["class_weight", "infinity"]),
    (_classes, [0, 0, 0], ValueError, ["class_weight", "zero for every"]),
]


@pytest.mark.parametrize(("check", "value", "error", "words"), WEIGHT_ERRORS)
def test_weights_refused(check, value, error, words):
    with pytest.raises(error) as caught:
        check(value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "y", "n_outputs"),
    [(MSE, [[1.0]] * 4, 1), (CE, np.eye(4)[:, :3] * 0 + 1 / 3, 3), (BCE, [0.5] * 4, 1)],
)
def test_class_weight_needs_classes(loss, y, n_outputs):
    with pytest.raises(ValueError, match="class_weight needs one class label per row"):
        _classes("balanced", y=y, loss=loss, n_outputs=n_outputs)


# -- the split ------------------------------------------------------------------------


@given(
    st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 2**40), st.integers(1, 5)
)
def test_split_is_a_stratified_partition(n, fraction, seed, n_classes):
    labels = (np.arange(n) % n_classes).astype(np.int32)
    train, validation = v.split_rows(n, fraction, labels, seed)
    assert len(train) >= 1
    assert len(validation) >= 1
    np.testing.assert_array_equal(
        np.sort(np.concatenate([train, validation])), np.arange(n)
    )
    assert abs(len(validation) - n * fraction) <= 1
    for label in range(n_classes):
        drawn = np.count_nonzero(labels[validation] == label)
        share = np.count_nonzero(labels == label) * len(validation) / n
        assert abs(drawn - share) < 1 + 1e-9


def test_split_follows_the_seed():
    first, again, other = (v.split_rows(50, 0.2, None, seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_row_cannot_be_split():
    with pytest.raises(ValueError, match="at least 2 rows"):
        v.split_rows(1, 0.5, None, 0)
