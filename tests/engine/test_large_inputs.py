"""Inputs whose squares overflow: normalised all the same, or a divergence with a name.

The oracle is the same net in float64, where the squares of float32's numbers are small.
"""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes, features, settled
from fastnn import kernels, reference

LARGEST = float(np.finfo(np.float32).max)
NORMS = {"layernorm": fnn.LayerNorm, "rmsnorm": fnn.RMSNorm}
LARGE = [1e19, 1e25, LARGEST / 16]  # the squares, their sum, the sum itself overflows


def _nets(norm):
    net = settled(fnn.Sequential(norm(), fnn.Dense(3)), np.random.default_rng(3), 9)
    wide = fnn.Sequential(norm(), fnn.Dense(3), dtype="float64").build(9)
    state = net.state_dict()
    wide.load_state_dict({name: a.astype(np.float64) for name, a in state.items()})
    return net, wide


def _rows(rng, scale, rows=7):
    """Rows around a mean of their own; one of ordinary numbers among them."""
    X = scale * (rng.uniform(-1, 1, size=(rows, 9)) + rng.uniform(-1, 1, (rows, 1)))
    X[3] = features(rng, 1, 9)
    return X.astype(np.float32)


@pytest.mark.parametrize("scale", LARGE)
@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_outputs_and_gradients(rng, norm, scale):
    net, wide = _nets(norm)
    X, y = _rows(rng, scale), rng.integers(0, 3, size=7)
    np.testing.assert_allclose(net.predict(X), wide.predict(X), atol=1e-5)
    np.testing.assert_array_equal(net.predict(X)[2], net.predict(X[2:3])[0])
    loss, gradients = net.loss_and_gradients(X, y, loss="cross_entropy", training=True)
    exact, others = wide.loss_and_gradients(X, y, loss="cross_entropy", training=True)
    assert loss == pytest.approx(exact, rel=1e-5)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_a_gradient_passes_through(rng, norm):
    """Of a layer before: the weights, not the inputs, are what is large."""
    nets = [
        fnn.Sequential(fnn.Dense(6, init=(w, b)), norm(), fnn.Dense(3), dtype=dtype)
        for w, b in [(1e25 * rng.normal(size=(6, 5)), 1e25 * rng.normal(size=6))]
        for dtype in ("float32", "float64")
    ]
    X, y = classes(rng, 30)
    first, second = (
        net.build(5).loss_and_gradients(X, y, loss="cross_entropy")[1] for net in nets
    )
    slope = first["0.weight"].astype(np.float64)
    assert 0 < abs(slope).max() < 1e-23
    np.testing.assert_allclose(slope, second["0.weight"], atol=1e-4 * slope.max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_a_fit_for_any_number_of_threads(rng, norm, dtype):
    X, y = classes(rng, 203)
    X = X.astype(dtype) * (1e25 if dtype == "float32" else 1e200)
    nets = [fnn.Sequential(norm(), fnn.Dense(3), dtype=dtype) for _ in range(3)]
    for net, n_threads in zip(nets, (1, 2, 5), strict=True):
        history = net.fit(
            *(X, y),
            optimizer=fnn.Adam(lr=0.1),
            epochs=20,
            metrics=["accuracy"],
            n_threads=n_threads,
        )
    assert history.history["accuracy"][-1] > 0.7
    assert bits(nets[0]) == bits(nets[1]) == bits(nets[2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_numbers_there_are(dtype):
    """In rows of equal ones, and beside a zero."""
    largest = np.finfo(dtype).max
    for columns in (2, 3, 10, 33):
        one, zero = np.ones(columns, dtype), np.zeros(columns, dtype)
        x = np.full((1, columns), largest)
        y, mean, inverse = kernels.layernorm_forward(x, one, zero)
        assert abs(y).max() <= 1  # the mean's rounding is all the spread there is
        assert np.isfinite(mean).all()
        assert np.isfinite(inverse).all()
        x[0, 0] = 0
        assert np.isfinite(kernels.layernorm_forward(x, one, zero)[0]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_are_not_finite_stay_so(dtype):
    one, zero = np.ones(3, dtype), np.zeros(3, dtype)
    for bad in (np.inf, -np.inf, np.nan):
        x = np.array([[1, bad, 2], [1, 2, 3]], dtype)
        y, _, _ = kernels.layernorm_forward(x, one, zero)
        assert np.isnan(y[0]).any()
        assert np.isfinite(y[1]).all()


@pytest.mark.parametrize("scale", LARGE)
def test_the_specification(rng, scale):
    x = _rows(rng, scale)
    gamma, beta, dy = (rng.normal(size=n).astype(np.float32) for n in (9, 9, (7, 9)))
    wide = [a.astype(np.float64) for a in (x, gamma, beta)]
    actual = reference.layernorm_forward(x, gamma, beta)
    for a, b in zip(actual, reference.layernorm_forward(*wide), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    found = kernels.layernorm_forward(x, gamma, beta)
    for a, b in zip(found, actual, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    slopes = kernels.layernorm_backward(dy, x, gamma, *found[1:])
    for a, b in zip(
        slopes, reference.layernorm_backward(dy, x, gamma, *actual[1:]), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * abs(b).max())
    y, inverse = reference.rmsnorm_forward(x, gamma)
    exact = reference.rmsnorm_forward(*wide[:2], eps=np.finfo(np.float32).eps)
    np.testing.assert_allclose(y, exact[0], rtol=1e-5)
    np.testing.assert_allclose(inverse, exact[1], rtol=1e-5)


@pytest.mark.parametrize("step", [False, True])
def test_a_variance_that_overflows_is_told_apart_from_a_weight(rng, step):
    """Batch normalisation must keep a running variance, and no float32 holds 1e50."""
    X, y = classes(rng, 40)
    net = fnn.Sequential(fnn.BatchNorm(), fnn.Dense(3)).build(5)
    before = bits(net)
    trainer = fnn.Trainer(net)
    with pytest.raises(fnn.DivergedError, match="a running statistic became inf"):
        trainer.step(1e25 * X, y) if step else trainer.fit(1e25 * X, y)
    assert bits(net) == before
