"""PReLU, Maxout, RMSNorm and weight normalisation: slopes, by hand, and errors."""

import numpy as np
import pytest

from fastnn.reference import (
    MLP,
    maxout_backward,
    maxout_forward,
    prelu_backward,
    prelu_forward,
    rmsnorm_backward,
    rmsnorm_forward,
    weight_norm_backward,
    weight_norm_forward,
)


@pytest.mark.parametrize("slopes", [1, 4])
def test_prelu(rng, slopes, check_gradient):
    x, dy, a = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.normal(size=slopes)
    dx, da = prelu_backward(dy, x, a)

    def loss(x, a):
        return float((dy * prelu_forward(x, a)).sum())

    check_gradient(lambda x: loss(x, a), x, dx)
    check_gradient(lambda a: loss(x, a), a, da)


@pytest.mark.parametrize("pieces", [2, 3])
def test_maxout(rng, pieces, check_gradient):
    x, w = rng.normal(size=(5, 4)), rng.normal(size=(3 * pieces, 4))
    b, dy = rng.normal(size=3 * pieces), rng.normal(size=(5, 3))
    _, winner = maxout_forward(x, w, b, pieces)
    dx, dw, db = maxout_backward(dy, x, w, winner, pieces)

    def loss(x, w, b):
        return float((dy * maxout_forward(x, w, b, pieces)[0]).sum())

    check_gradient(lambda x: loss(x, w, b), x, dx)
    check_gradient(lambda w: loss(x, w, b), w, dw)
    check_gradient(lambda b: loss(x, w, b), b, db)


def test_the_first_of_equal_pieces_wins():
    w, b = np.ones((6, 1)), np.array([0.0, 1.0, 2.0, 2.0, 2.0, 1.0])
    y, winner = maxout_forward(np.array([[1.0]]), w, b, 3)
    assert y.tolist() == [[3.0, 3.0]]
    assert winner.tolist() == [[1, 1]]


def test_rmsnorm_by_hand():
    x = np.array([[1.0, 7.0]])  # mean square 25
    y, inv_rms = rmsnorm_forward(x, np.array([2.0, 1.0]), eps=11.0)
    np.testing.assert_allclose(y, [[2 / 6, 7 / 6]])
    np.testing.assert_allclose(inv_rms, [1 / 6])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rmsnorm_of_zeros_is_saved_by_the_eps_of_the_dtype(dtype):
    y, inv_rms = rmsnorm_forward(np.zeros((1, 3), dtype), np.ones(3, dtype))
    assert not y.any()
    assert inv_rms[0] == pytest.approx(np.finfo(dtype).eps ** -0.5, rel=1e-6)


def test_rmsnorm(rng, check_gradient):
    x, gamma, dy = rng.normal(size=(5, 4)), rng.normal(size=4), rng.normal(size=(5, 4))
    _, inv_rms = rmsnorm_forward(x, gamma, 0.01)
    dx, dgamma = rmsnorm_backward(dy, x, gamma, inv_rms)

    def loss(x, gamma):
        return float((dy * rmsnorm_forward(x, gamma, 0.01)[0]).sum())

    check_gradient(lambda x: loss(x, gamma), x, dx)
    check_gradient(lambda gamma: loss(x, gamma), gamma, dgamma)


def test_weight_norm(rng, check_gradient):
    g, v, dw = rng.normal(size=(3, 1)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    dg, dv = weight_norm_backward(dw, g, v)
    np.testing.assert_allclose((dv * v).sum(axis=1), 0, atol=1e-14)

    def loss(g, v):
        return float((dw * weight_norm_forward(g, v)).sum())

    check_gradient(lambda g: loss(g, v), g, dg)
    check_gradient(lambda v: loss(g, v), v, dv)


def test_a_row_of_zeros_has_no_direction(rng):
    g, v = np.ones((2, 1)), np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(weight_norm_forward(g, v), [[0, 0], [0.6, 0.8]])
    dg, dv = weight_norm_backward(rng.normal(size=(2, 2)), g, v)
    assert not dg[0].any()
    assert not dv[0].any()


X, A = np.ones((2, 3)), np.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prelu_forward(X, np.ones(2)), "a has shape"),
        (lambda: prelu_forward(A, A), "x has 1 dimensions"),
        (lambda: prelu_backward(np.ones((1, 3)), X, A), "dy has shape"),
        (lambda: maxout_forward(X, np.ones((4, 3)), np.ones(4), 1), "pieces"),
        (lambda: maxout_forward(X, np.ones((4, 3)), np.ones(4), 3), "rows of w"),
        (lambda: rmsnorm_forward(X, np.ones(2)), "gamma has shape"),
        (lambda: rmsnorm_forward(X, A, 0.0), "eps must be"),
        (lambda: rmsnorm_backward(X, X, A, A), "inv_rms has shape"),
        (lambda: weight_norm_forward(A, X), "g has shape"),
        (lambda: weight_norm_backward(A, np.ones((2, 1)), X), "dw has shape"),
        (lambda: MLP([("maxouts", X, A, 2)]), "did you mean 'maxout'|maxout"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
