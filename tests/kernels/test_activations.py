"""Activations: values, slopes, limits."""

import numpy as np
import pytest

from fastnn import kernels, reference


def grid(dtype):
    near = np.linspace(-9, 9, 4001)
    far = np.array([0.0, 1e-30, 1e-6, 20, 50, 90, 700, 1e4, 1e30])
    return np.concatenate([near, far, -far]).astype(dtype)


def test_values(activation, dtype):
    z = grid(dtype)
    exact = reference.activation_forward(z.astype(float), activation)
    eps = np.finfo(dtype).eps
    y = kernels.activation_forward(z, activation)
    np.testing.assert_allclose(y, exact, rtol=16 * eps, atol=4 * eps)


def test_slopes(activation, dtype):
    z = grid(dtype)
    dy = np.full_like(z, 0.5)
    exact = reference.activation_backward(dy.astype(float), z.astype(float), activation)
    eps = np.finfo(dtype).eps
    dz = kernels.activation_backward(dy, z, activation)
    np.testing.assert_allclose(dz, exact, rtol=32 * eps, atol=8 * eps)


def test_slope_is_that_of_the_value(activation):
    """Central differences in float64, away from the corners."""
    z = np.linspace(-4.03, 4.02, 203)
    z = z[np.min(np.abs(z[:, None] - [-3, -1, 0, 1, 3]), axis=1) > 1e-3]
    step = 1e-6
    up, down = (kernels.activation_forward(z + s, activation) for s in (step, -step))
    dz = kernels.activation_backward(np.ones_like(z), z, activation)
    np.testing.assert_allclose((up - down) / (2 * step), dz, rtol=1e-7, atol=1e-9)


def test_slope_at_the_corners(activation):
    z = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    np.testing.assert_allclose(
        kernels.activation_backward(np.ones(5), z, activation),
        reference.activation_backward(np.ones(5), z, activation),
        atol=1e-15,
    )


def test_nan_stays_nan_wherever_it_stands(activation, dtype):
    for size in (1, 5, 16, 40):
        for at in {0, size // 2, size - 1}:
            z = np.ones(size, dtype)
            z[at] = np.nan
            y = kernels.activation_forward(z, activation)
            assert np.flatnonzero(np.isnan(y)).tolist() == [at]
            dz = kernels.activation_backward(z, np.ones(size, dtype), activation)
            assert np.flatnonzero(np.isnan(dz)).tolist() == [at]


def test_infinities_take_the_limits(activation, dtype):
    z = np.array([np.inf, -np.inf] * 9, dtype)
    with np.errstate(invalid="ignore"):
        exact = reference.activation_forward(z, activation)
    y = kernels.activation_forward(z, activation)
    np.testing.assert_allclose(y, exact, rtol=8 * np.finfo(dtype).eps)


def test_any_shape(activation):
    z = np.linspace(-2, 2, 24).reshape(2, 3, 4)
    flat = kernels.activation_forward(z.ravel(), activation)
    np.testing.assert_array_equal(
        kernels.activation_forward(z, activation), flat.reshape(z.shape)
    )
    assert kernels.activation_forward(np.array(0.5), activation).shape == ()


def test_bits_do_not_depend_on_the_place(activation, dtype):
    z = grid(dtype)[:157]
    alone = np.concatenate(
        [kernels.activation_forward(z[i : i + 1], activation) for i in range(len(z))]
    )
    np.testing.assert_array_equal(kernels.activation_forward(z, activation), alone)


def test_in_place(activation, dtype):
    z, dy = grid(dtype)[1000:1100], grid(dtype)[500:600]
    y = kernels.activation_forward(z, activation)
    dz = kernels.activation_backward(dy, z, activation)
    for target in (z.copy(), dy.copy()):
        source = target if np.array_equal(target, z) else z
        gradient = target if np.array_equal(target, dy) else dy
        assert (
            kernels.activation_backward(gradient, source, activation, out=target)
            is target
        )
        np.testing.assert_array_equal(target, dz)
    assert kernels.activation_forward(z, activation, out=z) is z
    np.testing.assert_array_equal(z, y)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("leaky_relu", {"negative_slope": 0.2}),
        ("leaky_relu", {"alpha": 0.2}),
        ("elu", {"alpha": 2.5}),
        ("elu", {"alpha": 0.0}),
        ("celu", {"alpha": 0.3}),
        ("gelu", {"approximate": "tanh"}),
        ("gelu", {"approximate": "none"}),
    ],
)
def test_parameters(name, options):
    z, dy = np.linspace(-3, 3, 50), np.linspace(1, 2, 50)
    for function, arguments in (
        ("activation_forward", (z, name)),
        ("activation_backward", (dy, z, name)),
    ):
        np.testing.assert_allclose(
            getattr(kernels, function)(*arguments, **options),
            getattr(reference, function)(*arguments, **options),
            rtol=1e-13,
            atol=1e-15,
        )
