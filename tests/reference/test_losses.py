import math

import numpy as np
import pytest

from fastnn.reference import (
    activation_forward,
    binary_cross_entropy,
    focal_loss,
    gaussian_nll,
    hinge,
    huber,
    log_cosh,
    mae,
    mse,
    poisson_nll,
    quantile_loss,
    softmax_cross_entropy,
    squared_error,
)

LOG2, LOG3 = math.log(2.0), math.log(3.0)
# softmax of (0, log 3) is (1/4, 3/4)
LOGITS = np.array([[0.0, LOG3], [LOG3, LOG3]])


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def real(rng):
    return rng.normal(size=(5, 3)), rng.normal(size=(5, 3))


def spread(rng):
    return rng.normal(size=(5, 6)), rng.normal(size=(5, 3))


def labels(rng):
    return rng.normal(size=(5, 3)), rng.integers(0, 3, size=5)


def probabilities(rng):
    return rng.normal(size=(5, 3)), rng.dirichlet(np.ones(3), size=5)


def counts(rng):
    return rng.normal(size=(5, 3)), rng.poisson(3.0, size=(5, 3))


def binary(rng):
    return rng.normal(size=(5, 3)), rng.integers(0, 2, size=(5, 3))


# loss, maker of (outputs, y), keywords
CASES = [
    (softmax_cross_entropy, labels, {}),
    (softmax_cross_entropy, labels, {"label_smoothing": 0.1}),
    (softmax_cross_entropy, probabilities, {}),
    (softmax_cross_entropy, probabilities, {"label_smoothing": 0.1}),
    (softmax_cross_entropy, real, {}),  # rows that do not sum to 1
    (mse, real, {}),
    (squared_error, real, {}),
    (mae, real, {}),
    (huber, real, {}),
    (huber, real, {"delta": 0.3}),
    (log_cosh, real, {}),
    (quantile_loss, real, {}),
    (quantile_loss, real, {"q": 0.8}),
    (gaussian_nll, spread, {}),
    (gaussian_nll, spread, {"eps": 0.5}),
    (focal_loss, labels, {}),
    (focal_loss, probabilities, {}),
    (focal_loss, real, {"gamma": 0.5}),  # rows that do not sum to 1
    (hinge, binary, {}),
    (poisson_nll, counts, {}),
    (poisson_nll, counts, {"sum_outputs": True}),
    (binary_cross_entropy, binary, {}),
    (binary_cross_entropy, binary, {"sum_outputs": True}),
    (binary_cross_entropy, binary, {"label_smoothing": 0.2}),
    (binary_cross_entropy, binary, {"pos_weight": 3.0}),
    (binary_cross_entropy, binary, {"pos_weight": [0.5, 1.0, 2.0]}),
]
TABLE = pytest.mark.parametrize(("loss", "make", "keywords"), CASES)


@TABLE
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_is_the_slope(loss, make, keywords, weighted, rng, check_gradient):
    outputs, y = make(rng)
    if weighted:
        keywords = {**keywords, "sample_weight": [1.0, 0.0, 2.0, 0.5, 3.0]}
    _, gradient = loss(outputs, y, **keywords)
    check_gradient(lambda o: loss(o, y, **keywords)[0], outputs, gradient)


@TABLE
def test_weights_repeat_rows(loss, make, keywords, rng):
    outputs, y = make(rng)
    index = [0, 1, 1, 1, 3, 3]
    weighted, gradient = loss(
        outputs, y, sample_weight=[1.0, 3.0, 0.0, 2.0, 0.0], **keywords
    )
    repeated, rows = loss(outputs[index], y[index], **keywords)
    assert weighted == pytest.approx(repeated, rel=1e-14)
    summed = np.zeros_like(outputs)
    np.add.at(summed, index, rows)
    np.testing.assert_allclose(gradient, summed, rtol=1e-12, atol=1e-17)


@TABLE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_arguments_unchanged(loss, make, keywords, dtype, rng):
    outputs, y = make(rng)
    outputs = outputs.astype(dtype)
    before, y_before = outputs.copy(), y.copy()
    value, gradient = loss(outputs, y, **keywords)
    assert type(value) is float
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(outputs, before)
    np.testing.assert_array_equal(y, y_before)


def test_cross_entropy_by_hand():
    loss, gradient = softmax_cross_entropy(LOGITS, np.array([1, 0]))
    assert loss == pytest.approx((math.log(4 / 3) + LOG2) / 2)
    np.testing.assert_allclose(gradient, [[0.125, -0.125], [-0.25, 0.25]])


def test_label_smoothing_by_hand():
    # target (0.1, 0.9): -0.1 log 1/4 - 0.9 log 3/4
    loss, gradient = softmax_cross_entropy(
        LOGITS[:1], np.array([1]), label_smoothing=0.2
    )
    assert loss == pytest.approx(0.1 * math.log(4.0) + 0.9 * math.log(4 / 3))
    np.testing.assert_allclose(gradient, [[0.15, -0.15]])


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_labels_are_one_hot_rows(smoothing, rng):
    logits, y = labels(rng)
    loss, gradient = softmax_cross_entropy(logits, y, label_smoothing=smoothing)
    loss2, gradient2 = softmax_cross_entropy(
        logits, np.eye(3)[y], label_smoothing=smoothing
    )
    assert loss == pytest.approx(loss2, rel=1e-14)
    np.testing.assert_allclose(gradient, gradient2, rtol=1e-13, atol=1e-16)


def test_cross_entropy_survives_large_logits():
    logits = np.array([[1e4, 0.0], [-3e38, 3e38]], dtype=np.float32)
    with np.errstate(over="ignore"):  # -3e38 - 3e38 is -inf in float32, as it should
        loss, gradient = softmax_cross_entropy(logits, np.array([0, 1]))
    assert loss == 0.0
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))
    loss, gradient = softmax_cross_entropy(logits[:1], np.array([1]))
    assert loss == 1e4
    np.testing.assert_array_equal(gradient, [[1.0, -1.0]])


def test_regression_by_hand():
    outputs, y = np.array([[1.0, 0.0], [3.0, -2.0]]), np.array([[0.0, 0.0], [0.0, 2.0]])
    # d = 1, 0, 3, -4
    loss, gradient = mse(outputs, y)
    assert loss == 26.0 / 4.0
    np.testing.assert_allclose(gradient, [[0.5, 0.0], [1.5, -2.0]])
    loss, gradient = squared_error(outputs, y)
    assert loss == 26.0 / 2.0 / 2.0  # two rows
    np.testing.assert_allclose(gradient, [[0.5, 0.0], [1.5, -2.0]])
    loss, gradient = mae(outputs, y)
    assert loss == 2.0
    np.testing.assert_allclose(gradient, [[0.25, 0.0], [0.25, -0.25]])
    loss, gradient = huber(outputs, y, delta=2.0)
    assert loss == (0.5 + 0.0 + 4.0 + 6.0) / 4.0  # 1/2; 0; 2 (3 - 1); 2 (4 - 1)
    np.testing.assert_allclose(gradient, [[0.25, 0.0], [0.5, -0.5]])


def test_robust_losses_by_hand():
    outputs, y = np.array([LOG2, 0.0]), np.zeros(2)
    # cosh(log 2) = (2 + 1/2) / 2 = 5/4, tanh(log 2) = (2 - 1/2) / (2 + 1/2) = 3/5
    loss, gradient = log_cosh(outputs, y)
    assert loss == pytest.approx(math.log(5 / 4) / 2, rel=1e-14)
    np.testing.assert_allclose(gradient, [0.3, 0.0])
    # y above by 2, below by 4, met
    loss, gradient = quantile_loss(np.array([1.0, 5.0, 0.0]), [3, 1, 0], q=0.75)
    assert loss == pytest.approx((0.75 * 2 + 0.25 * 4) / 3, rel=1e-15)
    np.testing.assert_allclose(3 * gradient, [-0.75, 0.25, 0.0])


def test_gaussian_by_hand():
    # means 1 and 0, variances 4 and 1/2, errors 2 and -1
    outputs = np.array([[1.0, 0.0, 2 * LOG2, -LOG2]])
    loss, gradient = gaussian_nll(outputs, np.array([[-1.0, 1.0]]))
    assert loss == pytest.approx((2 * LOG2 + 1 - LOG2 + 2) / 4, rel=1e-14)
    np.testing.assert_allclose(2 * gradient, [[0.5, -2.0, 0.0, -0.5]], atol=1e-15)
    # no variance below 4: it has no slope there
    loss, gradient = gaussian_nll(outputs, np.array([[-1.0, 1.0]]), eps=5.0)
    assert loss == pytest.approx((2 * math.log(5) + 4 / 5 + 1 / 5) / 4, rel=1e-14)
    np.testing.assert_allclose(2 * gradient, [[0.4, -0.2, 0.0, 0.0]], atol=1e-15)


def test_focal_by_hand():
    # p = 1/4, 3/4 of softmax(0, log 3); g_1 = (1/4)^2 (2 (3/4) log(3/4) / (1/4) - 1)
    loss, gradient = focal_loss(LOGITS[:1], np.array([1]))
    assert loss == pytest.approx(-math.log(3 / 4) / 16, rel=1e-14)
    g = (6 * math.log(3 / 4) - 1) / 16
    np.testing.assert_allclose(gradient, [[-g / 4, g / 4]], rtol=1e-14)


def test_focal_without_focus_is_cross_entropy(rng):
    for logits, y in (labels(rng), probabilities(rng)):
        loss, gradient = focal_loss(logits, y, gamma=0.0)
        wanted, slope = softmax_cross_entropy(logits, y)
        assert loss == pytest.approx(wanted, rel=1e-14)
        np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-16)


def test_hinge_by_hand():
    # margins 1/2 and 2 for yes; -1 and 4 for no and yes
    outputs, y = np.array([[0.5, 2.0], [1.0, -4.0]]), [[1, 1], [0, 1]]
    loss, gradient = hinge(outputs, y)
    assert loss == (0.5 + 0.0 + 2.0 + 5.0) / 4.0
    np.testing.assert_array_equal(4 * gradient, [[-1.0, 0.0], [1.0, -1.0]])


def test_poisson_by_hand():
    outputs, y = np.array([[0.0, LOG2], [LOG3, 0.0]]), np.array([[1, 2], [0, 5]])
    # rates 1, 2, 3, 1: losses 1, 2 - 2 log 2, 3, 1
    loss, gradient = poisson_nll(outputs, y)
    assert loss == pytest.approx((7.0 - 2.0 * LOG2) / 4.0)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.75, -1.0]], atol=1e-16)
    loss, gradient = poisson_nll(outputs, y, sum_outputs=True, sample_weight=[1, 3])
    assert loss == pytest.approx((3.0 - 2.0 * LOG2 + 3 * 4.0) / 4.0)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [2.25, -3.0]], atol=1e-15)


def test_binary_cross_entropy_by_hand():
    # sigmoid(log 3) = 3/4
    outputs, y = np.array([LOG3, LOG3]), np.array([1, 0])
    loss, gradient = binary_cross_entropy(outputs, y, pos_weight=2.0)
    assert loss == pytest.approx((2.0 * math.log(4 / 3) + math.log(4.0)) / 2)
    np.testing.assert_allclose(gradient, [-0.25, 0.375])


def test_binary_label_smoothing_by_hand():
    # target 1 becomes 0.9: -0.9 log 3/4 - 0.1 log 1/4
    loss, gradient = binary_cross_entropy(
        np.array([LOG3]), np.array([1]), label_smoothing=0.2
    )
    assert loss == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4.0))
    np.testing.assert_allclose(gradient, [-0.15])


def test_binary_cross_entropy_is_that_of_two_classes(rng):
    z = rng.normal(size=7)
    y = rng.integers(0, 2, size=7)
    two = np.stack([np.zeros_like(z), z], axis=1)
    assert binary_cross_entropy(z, y)[0] == pytest.approx(
        softmax_cross_entropy(two, y)[0], rel=1e-14
    )
    np.testing.assert_allclose(activation_forward(z, "sigmoid"), softmax(two)[:, 1])


def test_binary_cross_entropy_survives_large_logits():
    z = np.array([1e30, -1e30, 1e30, -1e30], dtype=np.float32)
    loss, gradient = binary_cross_entropy(z, np.array([1, 0, 0, 1]))
    assert loss == pytest.approx(0.5e30, rel=1e-6)
    np.testing.assert_array_equal(gradient, [0.0, 0.0, 0.25, -0.25])


LOGITS_3 = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("loss", "outputs", "y", "keywords", "error", "message"),
    [
        (softmax_cross_entropy, LOGITS_3, [0, 3], {}, ValueError, r"y\[1\] is 3"),
        (softmax_cross_entropy, LOGITS_3, [-1, 0], {}, ValueError, r"y\[0\] is -1"),
        (softmax_cross_entropy, LOGITS_3, [0.0, 1.0], {}, TypeError, "integer labels"),
        (softmax_cross_entropy, LOGITS_3, [0], {}, ValueError, "y has 1 labels"),
        (softmax_cross_entropy, LOGITS_3, [[0], [1]], {}, ValueError, "y has shape"),
        (softmax_cross_entropy, LOGITS_3[:0], [], {}, ValueError, "rows must be"),
        (softmax_cross_entropy, LOGITS_3[0], [0], {}, ValueError, "1 dimensions"),
        (mse, LOGITS_3, [0.0, 0.0], {}, ValueError, "y has shape"),
        (mse, LOGITS_3[:, :0], LOGITS_3[:, :0], {}, ValueError, "size of outputs"),
        (mse, LOGITS_3.astype(int), LOGITS_3, {}, TypeError, "outputs must be float"),
        (huber, LOGITS_3, LOGITS_3, {"delta": 0.0}, ValueError, "delta must be"),
        (gaussian_nll, LOGITS_3, LOGITS_3, {}, ValueError, "columns of outputs must"),
        (gaussian_nll, LOGITS[:, :2], LOGITS, {}, ValueError, "y has shape"),
        (quantile_loss, LOGITS_3, LOGITS_3, {"q": 1}, ValueError, "q must be in"),
        (focal_loss, LOGITS_3, [0, 3], {}, ValueError, r"y\[1\] is 3"),
        (focal_loss, LOGITS_3, [0, 1], {"gamma": -1}, ValueError, "gamma must be not"),
        (hinge, LOGITS_3, LOGITS_3 - 1, {}, ValueError, "y must be in"),
        (poisson_nll, LOGITS_3, LOGITS_3 - 1, {}, ValueError, "y must be at least 0"),
        (binary_cross_entropy, LOGITS_3, LOGITS_3 - 1, {}, ValueError, "y must be"),
        (binary_cross_entropy, LOGITS_3, LOGITS_3 + 2, {}, ValueError, "got 2.0"),
        (mse, LOGITS_3, LOGITS_3, {"sample_weight": [1.0]}, ValueError, "one weight"),
        (mse, LOGITS_3, LOGITS_3, {"sample_weight": [1, -1]}, ValueError, "got -1.0"),
        (mse, LOGITS_3, LOGITS_3, {"sample_weight": [0, 0]}, ValueError, "sum of"),
        (mse, LOGITS_3, LOGITS_3, {"sample_weight": [1, np.nan]}, ValueError, "nan"),
        (
            binary_cross_entropy,
            LOGITS_3,
            LOGITS_3,
            {"pos_weight": [1.0, 2.0]},
            ValueError,
            "pos_weight has shape",
        ),
        (
            binary_cross_entropy,
            LOGITS_3,
            LOGITS_3,
            {"label_smoothing": 1.5},
            ValueError,
            "label_smoothing must be",
        ),
    ],
)
def test_errors_name_the_argument(loss, outputs, y, keywords, error, message):
    with pytest.raises(error, match=message):
        loss(outputs, np.array(y), **keywords)
