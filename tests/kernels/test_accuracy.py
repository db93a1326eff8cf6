"""Numbers that float32 handles badly: long sums, equal large numbers."""

import numpy as np
import pytest

import fastnn as fnn
from fastnn import kernels


@pytest.mark.parametrize("value", [1.6e9, 3.3e9, 1.234567e12, 1e15 / 3])
def test_a_column_of_one_large_number_has_no_spread(value, dtype):
    """Rounding must not make its variance negative: the root would be NaN."""
    gamma, beta = np.ones(4, dtype), np.zeros(4, dtype)
    for rows in (3, 5, 6, 7, 11, 13, 37, 100, 127, 1000):
        x = np.full((rows, 4), value, dtype)
        y, _, inv_std = kernels.batchnorm_forward(x, gamma, beta, 1e-5)
        assert np.isfinite(inv_std).all()
        assert np.isfinite(y).all()


@pytest.mark.parametrize("units", [1, 3, 16, 17])
def test_sums_over_a_million_rows(units):
    """A single chain of additions would be off by a hundredth."""
    x = np.ones((1_000_000, 1), np.float32)
    dy = np.full((len(x), units), 1e-6, np.float32)
    w = np.ones((units, 1), np.float32)
    _, dw, db = kernels.dense_backward(dy, x, w, dy, "identity")
    np.testing.assert_allclose(dw, 1.0, rtol=1e-3)
    np.testing.assert_allclose(db, 1.0, rtol=1e-4)


def test_the_gradient_of_a_million_rows():
    x = np.ones((1_000_000, 1), np.float32)
    net = fnn.Sequential(fnn.Dense(1, init=([[0.0]], [0.0])))
    _, gradients = net.loss_and_gradients(x, -x, loss="mse")
    for gradient in gradients.values():
        np.testing.assert_allclose(gradient, 2.0, rtol=1e-3)
