"""Outputs near the end of the numbers: a loss that is true, or a clean divergence."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import LOSSES, bits, targets
from fastnn import kernels, reference

LARGE = {"float32": (1e30, 3e38), "float64": (1e300, 1.7e308)}
CASES = [(dtype, size) for dtype, sizes in LARGE.items() for size in sizes]


def _signs(outputs):
    """All up, all down, and one after the other."""
    alternating = (-1.0) ** np.arange(outputs)
    return np.ones(outputs), -np.ones(outputs), alternating, -alternating


@pytest.mark.parametrize(("dtype", "size"), CASES)
@pytest.mark.parametrize("name", LOSSES)
def test_a_number_or_an_error(rng, name, dtype, size):
    loss, outputs, kind = LOSSES[name]
    X, y = np.zeros((6, 2)), targets(rng, kind, 6, outputs)
    for signs in _signs(outputs):
        dense = fnn.Dense(outputs, init=(np.zeros((outputs, 2)), size * signs))
        net = fnn.Sequential(dense, dtype=dtype).build(2)
        value, gradients = net.loss_and_gradients(X, y, loss=loss)
        assert not np.isnan(value)
        assert not np.isnan(net.evaluate(X, y, loss=loss)["loss"])
        before = bits(net)
        trainer = fnn.Trainer(net, loss=loss, optimizer=fnn.SGD(lr=1e-3))
        if np.isfinite(value):
            assert all(np.isfinite(slope).all() for slope in gradients.values())
            assert trainer.step(X, y) == pytest.approx(value)
            assert np.isfinite(net.parameters).all()
        else:
            with pytest.raises(fnn.DivergedError, match="the loss became inf"):
                trainer.step(X, y)
            assert bits(net) == before


@pytest.mark.parametrize(("dtype", "size"), CASES)
@pytest.mark.parametrize("gaussian_nll", [kernels.gaussian_nll, reference.gaussian_nll])
def test_a_wide_spread_forgives_any_distance(gaussian_nll, dtype, size):
    """With v = size, d^2 exp(-v) is 0 though d^2 overflows; so is the slope of m."""
    outputs = np.array([[size, size]], dtype)
    loss, slope = gaussian_nll(outputs, np.zeros((1, 1), dtype))
    assert loss == pytest.approx(outputs[0, 0] / 2)
    np.testing.assert_array_equal(slope, [[0.0, 0.5]])


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e30), ("float64", 1e300)])
@pytest.mark.parametrize("gaussian_nll", [kernels.gaussian_nll, reference.gaussian_nll])
def test_a_spread_that_fits(gaussian_nll, dtype, size):
    """v = 2 log size makes d one standard deviation: l = log size + 1/2."""
    log_size = np.log(size)
    outputs = np.array([[size, 2 * log_size]], dtype)
    loss, slope = gaussian_nll(outputs, np.zeros((1, 1), dtype))
    assert loss == pytest.approx(log_size + 0.5, rel=1e-4)
    np.testing.assert_allclose(slope, [[0.0, 0.0]], atol=1e-3)
