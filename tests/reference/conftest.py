"""What the tests of the specification share."""

import numpy as np
import pytest


def central_differences(f, x, h=1e-6):
    """Gradient of the scalar function f at the float64 array x, element by element."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        there, back = x.copy(), x.copy()
        there[index] += h
        back[index] -= h
        gradient[index] = (f(there) - f(back)) / (2.0 * h)
    return gradient


@pytest.fixture
def check_gradient():
    """Return a function that raises unless a gradient is the slope of f at x."""

    def check(f, x, gradient):
        assert x.dtype == np.float64
        assert gradient.shape == x.shape
        expected = central_differences(f, x)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)

    return check


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture(autouse=True)
def _floating_point_errors_raise():
    """Overflow, 0/0 and NaN from finite numbers fail a test; underflow is fine."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield
