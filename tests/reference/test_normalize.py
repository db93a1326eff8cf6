import numpy as np
import pytest

from fastnn.reference import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
    layernorm_backward,
    layernorm_forward,
)

BOTH = pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (batchnorm_forward, batchnorm_backward),
        (layernorm_forward, layernorm_backward),
    ],
    ids=["batchnorm", "layernorm"],
)


def make(rng, rows=5, columns=4, dtype=np.float64):
    shapes = ((rows, columns), (columns,), (columns,), (rows, columns))
    x, gamma, beta, dy = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return 3.0 * x + 1.0, gamma, beta, dy


def test_batchnorm_by_hand():
    x = np.array([[0.0], [4.0], [8.0]])  # mean 4, biased variance 32/3
    y, mean, inv_std = batchnorm_forward(x, np.array([2.0]), np.array([1.0]), eps=1 / 3)
    root = np.sqrt(11.0)  # 32/3 + 1/3
    np.testing.assert_allclose(y[:, 0], [1 - 8 / root, 1.0, 1 + 8 / root], rtol=1e-15)
    np.testing.assert_allclose(mean, [4.0])
    np.testing.assert_allclose(inv_std, [1 / root])


def test_layernorm_by_hand():
    x = np.array([[0.0, 4.0, 8.0]])
    y, mean, inv_std = layernorm_forward(
        x, np.array([2.0, 1.0, 0.0]), np.array([0.0, 5.0, 7.0]), eps=1 / 3
    )
    root = np.sqrt(11.0)
    np.testing.assert_allclose(y[0], [-8 / root, 5.0, 7.0], rtol=1e-15)
    np.testing.assert_allclose((mean[0], inv_std[0]), (4.0, 1 / root))


@BOTH
def test_backward_is_the_slope(forward, backward, rng, check_gradient):
    x, gamma, beta, dy = make(rng)
    _, mean, inv_std = forward(x, gamma, beta, 0.01)
    dx, dgamma, dbeta = backward(dy, x, gamma, mean, inv_std)

    def loss(x, gamma, beta):
        return float((dy * forward(x, gamma, beta, 0.01)[0]).sum())

    check_gradient(lambda x: loss(x, gamma, beta), x, dx)
    check_gradient(lambda gamma: loss(x, gamma, beta), gamma, dgamma)
    check_gradient(lambda beta: loss(x, gamma, beta), beta, dbeta)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_arguments_unchanged(forward, backward, dtype, rng):
    arrays = make(rng, dtype=dtype)
    x, gamma, beta, dy = (array.copy() for array in arrays)
    results = forward(x, gamma, beta)
    gradients = backward(dy, x, gamma, *results[1:])
    assert {array.dtype for array in (*results, *gradients)} == {np.dtype(dtype)}
    for array, before in zip((x, gamma, beta, dy), arrays, strict=True):
        np.testing.assert_array_equal(array, before)


def test_layernorm_is_batchnorm_of_the_transpose(rng):
    x, _, _, dy = make(rng)
    ones, zeros = np.ones(5), np.zeros(5)
    y, mean, inv_std = batchnorm_forward(x.T.copy(), ones, zeros)
    y2, mean2, inv_std2 = layernorm_forward(x, np.ones(4), np.zeros(4))
    np.testing.assert_allclose(y.T, y2)
    dx, _, _ = batchnorm_backward(dy.T.copy(), x.T.copy(), ones, mean, inv_std)
    dx2, _, _ = layernorm_backward(dy, x, np.ones(4), mean2, inv_std2)
    np.testing.assert_allclose(dx.T, dx2)


def test_inference_with_the_batch_s_statistics_is_training(rng):
    x, gamma, beta, _ = make(rng)
    y, mean, _ = batchnorm_forward(x, gamma, beta, 0.1)
    np.testing.assert_allclose(
        batchnorm_inference(x, gamma, beta, mean, x.var(axis=0), 0.1), y, rtol=1e-12
    )


def test_a_large_mean_does_not_drown_the_variance():
    x = np.float32(1000.0) + np.array([[-1.0], [1.0]], dtype=np.float32)
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    y, _, _ = batchnorm_forward(x, one, zero)
    np.testing.assert_allclose(y[:, 0], [-1.0, 1.0], rtol=1e-4)


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(rows):
    x, one, zero = np.ones((rows, 3)), np.ones(3), np.zeros(3)
    assert layernorm_forward(x, one, zero)[0].shape == (rows, 3)
    assert batchnorm_inference(x, one, zero, zero, one).shape == (rows, 3)
    if rows == 0:
        with pytest.raises(ValueError, match="rows of x must be at least 1"):
            batchnorm_forward(x, one, zero)
    else:
        np.testing.assert_array_equal(batchnorm_forward(x, one, zero)[0], 0.0 * x)


@BOTH
def test_errors_name_the_argument(forward, backward, rng):
    x, gamma, beta, dy = make(rng)
    _, mean, inv_std = forward(x, gamma, beta)
    with pytest.raises(ValueError, match="gamma has shape"):
        forward(x, gamma[1:], beta)
    with pytest.raises(ValueError, match="eps must be positive"):
        forward(x, gamma, beta, eps=0.0)
    with pytest.raises(TypeError, match="beta is float32"):
        forward(x, gamma, beta.astype(np.float32))
    with pytest.raises(ValueError, match="dy has shape"):
        backward(dy[:1], x, gamma, mean, inv_std)
    with pytest.raises(ValueError, match="inv_std has shape"):
        backward(dy, x, gamma, mean, inv_std[1:])
