"""The gradient checker: right gradients pass, wrong ones do not."""

import numpy as np
import pytest

from gradcheck import assert_gradient, numerical_gradient


def _f(x):
    return float(np.sin(x).sum() + x[0] * x[1] ** 2)


def _gradient(x):
    g = np.cos(x)
    g[0] += x[1] ** 2
    g[1] += 2 * x[0] * x[1]
    return g


def test_right_gradient_passes_and_leaves_x_alone(rng):
    x = rng.normal(size=5)
    before = x.copy()
    assert_gradient(lambda: _f(x), x, _gradient(x))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("error", [1e-5, -1e-3, 1.0])
def test_one_wrong_element_fails(rng, error):
    x = rng.normal(size=5)
    wrong = _gradient(x)
    wrong[3] += error
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_gradient(lambda: _f(x), x, wrong)


def test_wrong_sign_fails(rng):
    x = rng.normal(size=5)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_gradient(lambda: _f(x), x, -_gradient(x))


def test_cubic_is_exact():
    x = np.array([[2.0]])
    gradient = numerical_gradient(lambda: float(x[0, 0] ** 3), x)
    assert gradient.shape == (1, 1)
    assert abs(gradient[0, 0] - 12) < 1e-9
