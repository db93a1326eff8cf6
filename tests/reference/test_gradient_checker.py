"""The checker the other tests rely on must be able to fail."""

import numpy as np
import pytest


def cube(x):
    return float((x**3).sum())


def test_accepts_the_gradient(check_gradient):
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    check_gradient(cube, x, 3.0 * x**2)


@pytest.mark.parametrize("wrong", [lambda g: g * 1.0001, lambda g: g + 1e-4, np.flip])
def test_refuses_a_wrong_gradient(check_gradient, wrong):
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    with pytest.raises(AssertionError):
        check_gradient(cube, x, wrong(3.0 * x**2))
