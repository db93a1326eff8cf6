"""The one helper that checks gradients: central differences in float64."""

from collections.abc import Callable

import numpy as np

import fastnn as fnn


def numerical_gradient(
    f: Callable[[], float], x: np.ndarray, h: float = 1e-5
) -> np.ndarray:
    """Gradient of f, a function of the array x that it sees by reference.

    (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h, whose error is O(h**4).
    """
    assert x.dtype == np.float64
    flat = x.reshape(-1)
    assert np.shares_memory(flat, x)
    gradient = np.empty_like(flat)
    for i, start in enumerate(flat.copy()):
        total = 0.0
        for steps, factor in ((-2, 1.0), (-1, -8.0), (1, 8.0), (2, -1.0)):
            flat[i] = start + steps * h
            total += factor * f()
        flat[i] = start
        gradient[i] = total / (12 * h)
    return gradient.reshape(x.shape)


def assert_gradient(
    f: Callable[[], float],
    x: np.ndarray,
    gradient: np.ndarray,
    *,
    rtol: float = 1e-7,
    h: float = 1e-5,
) -> None:
    """Fail unless `gradient` is that of f at x, relative to its largest element."""
    expected = numerical_gradient(f, x, h)
    assert gradient.shape == expected.shape
    scale = max(float(np.abs(expected).max(initial=0.0)), 1.0)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=rtol * scale)


def assert_network_gradient(net: fnn.Sequential, X, y, **options) -> None:
    """Fail unless loss_and_gradients differentiates its own loss, every parameter."""
    _, gradients = net.loss_and_gradients(X, y, **options)
    flat = np.concatenate([g.reshape(-1) for g in gradients.values()])
    assert_gradient(
        lambda: net.loss_and_gradients(X, y, **options)[0], net.parameters, flat
    )
