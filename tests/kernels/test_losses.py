"""Losses: options, weights, extremes."""

import numpy as np
import pytest

from fastnn import kernels, reference

GENERATOR = np.random.default_rng(3)
LOGITS = 3 * GENERATOR.standard_normal((21, 5))
LABELS = GENERATOR.integers(0, 5, 21)
SOFT = GENERATOR.dirichlet(np.ones(5), 21)
MANY = (GENERATOR.random((21, 5)) > 0.5).astype(float)
VALUES = GENERATOR.standard_normal((21, 5))
WEIGHTS = GENERATOR.random(21) * (GENERATOR.random(21) > 0.3)
COUNTS = GENERATOR.poisson(3.0, (21, 5))

TABLE = [
    ("softmax_cross_entropy", LABELS, {}),
    ("softmax_cross_entropy", LABELS, {"label_smoothing": 0.1}),
    ("softmax_cross_entropy", LABELS.astype(np.uint8), {"label_smoothing": 1.0}),
    ("softmax_cross_entropy", LABELS.tolist(), {}),
    ("softmax_cross_entropy", SOFT, {}),
    ("softmax_cross_entropy", SOFT, {"label_smoothing": 0.2}),
    ("softmax_cross_entropy", 3 * SOFT, {"label_smoothing": 0.2}),
    ("focal_loss", LABELS, {}),
    ("focal_loss", SOFT, {}),
    ("focal_loss", LABELS, {"gamma": 0.0}),
    ("focal_loss", LABELS, {"gamma": 0.3}),
    ("focal_loss", SOFT, {"gamma": 7}),
    ("mse", VALUES, {}),
    ("mse", VALUES.tolist(), {}),
    ("squared_error", VALUES, {}),
    ("mae", VALUES, {}),
    ("huber", VALUES, {}),
    ("huber", VALUES, {"delta": 3.5}),
    ("log_cosh", VALUES, {}),
    ("quantile_loss", VALUES, {}),
    ("quantile_loss", VALUES, {"q": 0.1}),
    ("hinge", MANY, {}),
    ("hinge", SOFT, {}),
    ("poisson_nll", COUNTS, {}),
    ("poisson_nll", SOFT, {"sum_outputs": True}),
    ("binary_cross_entropy", MANY, {}),
    ("binary_cross_entropy", MANY, {"sum_outputs": True}),
    ("binary_cross_entropy", MANY > 0, {}),
    ("binary_cross_entropy", MANY, {"label_smoothing": 0.1}),
    ("binary_cross_entropy", MANY, {"pos_weight": 2.0}),
    ("binary_cross_entropy", SOFT, {"pos_weight": [1, 2, 3, 4, 5.5]}),
    ("binary_cross_entropy", SOFT, {"pos_weight": [1, 2, 3, 4, 5], "sum_outputs": 1}),
    (
        "binary_cross_entropy",
        MANY,
        {"pos_weight": np.array([0.5]), "label_smoothing": 1},
    ),
]
ELEMENTWISE = [
    *("mse", "squared_error", "mae", "huber", "log_cosh", "quantile_loss"),
    *("poisson_nll", "binary_cross_entropy", "hinge"),
]
IDS = [f"{name}-{i}" for i, (name, _, _) in enumerate(TABLE)]


@pytest.mark.parametrize(("name", "y", "options"), TABLE, ids=IDS)
@pytest.mark.parametrize("weights", [None, WEIGHTS, WEIGHTS.tolist()])
def test_options(name, y, options, weights, dtype):
    if name == "binary_cross_entropy" and np.size(options.get("pos_weight", [])) == 1:
        exact_options = {
            **options,
            "pos_weight": float(np.squeeze(options["pos_weight"])),
        }
    else:
        exact_options = options
    logits = LOGITS.astype(dtype)
    loss, gradient = getattr(kernels, name)(logits, y, sample_weight=weights, **options)
    exact, slope = getattr(reference, name)(
        logits.astype(float), np.asarray(y), sample_weight=weights, **exact_options
    )
    eps = float(np.finfo(dtype).eps)
    assert isinstance(loss, float)
    assert gradient.dtype == dtype
    assert loss == pytest.approx(exact, rel=32 * eps, abs=8 * eps)
    np.testing.assert_allclose(gradient, slope, rtol=32 * eps, atol=4 * eps)


@pytest.mark.parametrize(("name", "y", "options"), TABLE[:1] + TABLE[4:], ids=str)
def test_gradient_is_that_of_the_loss(name, y, options):
    """Central differences; targets are far from the corners of mae and huber."""
    function, outputs = getattr(kernels, name), LOGITS[:4] + 0.01
    y, step = np.asarray(y)[:4], 1e-6
    loss, gradient = function(outputs, y, **options)
    rounding = 1e-8 * max(loss, 1.0)  # of a difference of two losses, over the step
    for at in np.ndindex(outputs.shape):
        sides = []
        for s in (step, -step):
            shifted = outputs.copy()
            shifted[at] += s
            sides.append(function(shifted, y, **options)[0])
        difference = (sides[0] - sides[1]) / (2 * step)
        assert difference == pytest.approx(gradient[at], rel=1e-6, abs=rounding)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("n", [1, 2, 16, 1023, 1024, 1025, 5000])
def test_one_dimensional_outputs(name, n, dtype):
    generator = np.random.default_rng(n)
    outputs = generator.standard_normal(n).astype(dtype)
    y = generator.random(n)
    loss, gradient = getattr(kernels, name)(outputs, y)
    exact, slope = getattr(reference, name)(outputs.astype(float), y)
    eps = float(np.finfo(dtype).eps)
    assert loss == pytest.approx(exact, rel=8 * eps * np.sqrt(n))
    assert gradient.shape == (n,)
    np.testing.assert_allclose(gradient, slope, rtol=64 * eps, atol=4 * eps / n)


def test_no_difference_no_gradient(dtype):
    outputs = LOGITS.astype(dtype)
    for name in ("mse", "squared_error", "mae", "huber", "log_cosh", "quantile_loss"):
        loss, gradient = getattr(kernels, name)(outputs, outputs)
        assert loss == 0
        assert not gradient.any()


def test_log_cosh_keeps_its_digits(dtype):
    """Near 0 it is d^2/2 - d^4/12, far from it |d| - log 2: no overflow, no loss."""
    eps = float(np.finfo(dtype).eps)
    for d in (1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.88, 0.89, 1.0, 2.0, 5.0, 20.0, 80.0, 1e4):
        at = float(dtype(d))
        near = at**2 / 2 - at**4 / 12 + at**6 / 45
        far = at + np.log1p(np.exp(-2 * at)) - np.log(2)
        exact = near if at < 1e-2 else far
        for sign in (1, -1):
            loss, gradient = kernels.log_cosh(np.array([sign * d], dtype), [0])
            assert loss == pytest.approx(exact, rel=16 * eps), d
            assert gradient[0] == pytest.approx(sign * np.tanh(at), rel=8 * eps)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_loss_of_sure_rows(gamma, dtype):
    """p within rounding of 0 and 1, and beyond."""
    for gap in (1.0, 15.0, 30.0, 80.0, 500.0, 1e30):
        logits = np.array([[gap, 0.0]], dtype)
        loss, gradient = kernels.focal_loss(logits, [1], gamma=gamma)
        p = 1 / (1 + np.exp(min(gap, 700.0)))
        exact = (1 - p) ** gamma * np.logaddexp(0, gap)
        assert loss == pytest.approx(exact, rel=1e-5)
        slope = (1 - p) ** gamma * (1 - p + gamma * p * np.logaddexp(0, gap))
        np.testing.assert_allclose(gradient, [[slope, -slope]], rtol=2e-5)
        loss, gradient = kernels.focal_loss(logits, [0], gamma=gamma)
        assert loss == pytest.approx(p**gamma * np.log1p(np.exp(-gap)), abs=1e-6)
        assert np.isfinite(gradient).all()


def test_variances_of_any_size(dtype):
    """Up to where exp(-v) vanishes, down to eps and below, where v has no slope."""
    outputs = np.array([[1.0, 200.0], [1.0, -200.0]], dtype)
    loss, gradient = kernels.gaussian_nll(outputs, [[0.0], [1.0]])
    assert loss == pytest.approx((200 + np.log(1e-6)) / 4, rel=1e-6)
    np.testing.assert_allclose(gradient, [[0, 0.25], [0, 0]], atol=1e-30)
    loss, gradient = kernels.gaussian_nll(outputs[1:], [[2.0]], eps=1e-4)
    assert loss == pytest.approx((np.log(1e-4) + 1e4) / 2, rel=1e-5)
    np.testing.assert_allclose(gradient, [[-1e4, 0]], rtol=1e-5)


@pytest.mark.parametrize("at", range(4))
def test_nan_among_means_and_variances(at, dtype):
    outputs = np.ones((3, 4), dtype)
    outputs[1, at] = np.nan
    loss, gradient = kernels.gaussian_nll(outputs, np.zeros((3, 2)))
    assert np.isnan(loss)
    assert np.isnan(gradient[1, at])
    assert np.isfinite(gradient[[0, 2]]).all()


def test_zero_weight_rows_count_for_nothing(dtype):
    outputs = np.array([[1, 2], [3, 5], [np.inf, np.nan]], dtype)
    y = np.zeros((3, 2))
    loss, gradient = kernels.mse(outputs[:2], y[:2], sample_weight=[1, 0])
    assert loss == 2.5
    assert gradient.tolist() == [[1, 2], [0, 0]]


def test_huge_logits_do_not_overflow(dtype):
    big = np.finfo(dtype).max / 4
    logits = np.array([[big, 0, -big], [-big, -big, -big]], dtype)
    loss, gradient = kernels.softmax_cross_entropy(logits, [0, 1])
    assert loss == pytest.approx(np.log(3) / 2)
    np.testing.assert_allclose(gradient[0], 0, atol=1e-12)
    loss, gradient = kernels.binary_cross_entropy(logits[0], [1, 0, 0])
    assert loss == pytest.approx(np.log(2) / 3)
    assert gradient[2] == 0


@pytest.mark.parametrize("columns", [1, 3, 1024, 1500])
def test_sums_over_outputs_count_rows_alone(columns, dtype):
    """Rows are cut and joined where elements are alike: the mean must not notice."""
    generator = np.random.default_rng(columns)
    outputs = generator.standard_normal((7, columns)).astype(dtype)
    y = generator.integers(0, 2, outputs.shape)
    for name in ("poisson_nll", "binary_cross_entropy"):
        function = getattr(kernels, name)
        mean, slope = function(outputs, y)
        total, steep = function(outputs, y, sum_outputs=True)
        eps = float(np.finfo(dtype).eps)
        assert total == pytest.approx(columns * mean, rel=64 * eps)
        np.testing.assert_allclose(steep, columns * slope, rtol=16 * eps)


def test_rates_of_any_size(dtype):
    """exp(-z) vanishes; a rate beyond the numbers is infinite, as is the loss."""
    outputs = np.array([-200.0, 0.0, 10.0], dtype)
    loss, gradient = kernels.poisson_nll(outputs, [0, 1, 0])
    assert loss == pytest.approx((1 + np.exp(10.0)) / 3, rel=1e-6)
    np.testing.assert_allclose(3 * gradient, [0, 0, np.exp(10.0)], 1e-6, 1e-30)
    loss, gradient = kernels.poisson_nll(np.array([1e4], dtype), [5])
    assert loss == np.inf
    assert gradient[0] == np.inf


def test_minus_infinity_is_a_class_ruled_out(dtype):
    logits = np.array([[0, -np.inf, 0]], dtype)
    loss, gradient = kernels.focal_loss(logits, [0], gamma=0)
    assert loss == pytest.approx(np.log(2))
    np.testing.assert_allclose(gradient, [[-0.5, 0, 0.5]], rtol=1e-6)
    loss, gradient = kernels.softmax_cross_entropy(logits, [0])
    assert loss == pytest.approx(np.log(2))
    np.testing.assert_allclose(gradient, [[-0.5, 0, 0.5]], rtol=1e-6)


@pytest.mark.parametrize("columns", [1, 3, 16, 20])
def test_nan_shows_in_every_loss(columns, dtype):
    for at in range(columns):
        outputs = np.ones((3, columns), dtype)
        outputs[1, at] = np.nan
        y = np.zeros((3, columns))
        for name in ELEMENTWISE:
            loss, gradient = getattr(kernels, name)(outputs, y)
            assert np.isnan(loss), name
            assert np.argwhere(np.isnan(gradient)).tolist() == [[1, at]], name
        for function in (kernels.softmax_cross_entropy, kernels.focal_loss):
            loss, gradient = function(outputs, [0, 0, 0])
            assert np.isnan(loss)
            assert np.isnan(gradient[1]).all()
            assert np.isfinite(gradient[[0, 2]]).all()
