"""Single steps worked out by hand, on two parameters."""

import numpy as np
import pytest

import fastnn as fnn

W = np.array([1.0, -2.0])
G = np.array([0.5, -4.0])


def _step(opt, w, g, state):
    w = w.copy()
    opt.update(w, g, state)
    return w


def test_sgd():
    # w - lr g:  1 - 0.1 * 0.5 = 0.95      -2 - 0.1 * (-4) = -1.6
    opt = fnn.SGD(lr=0.1)
    np.testing.assert_allclose(_step(opt, W, G, opt.init(W)), [0.95, -1.6], rtol=1e-15)


def test_sgd_with_momentum_dampening_and_weight_decay():
    # g + 0.5 w:      0.5 + 0.5 = 1            -4 - 1 = -5
    # step 1, b = g:  1                        -5
    #         w:      1 - 0.1 * 1 = 0.9        -2 - 0.1 * (-5) = -1.5
    # step 2, the same gradient:
    # g + 0.5 w:      0.5 + 0.45 = 0.95        -4 - 0.75 = -4.75
    # b = 0.9 b + 0.8 g:
    #                 0.9 + 0.76 = 1.66        -4.5 - 3.8 = -8.3
    #         w:      0.9 - 0.166 = 0.734      -1.5 + 0.83 = -0.67
    opt = fnn.SGD(lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.5)
    state = opt.init(W)
    w = _step(opt, W, G, state)
    np.testing.assert_allclose(w, [0.9, -1.5], rtol=1e-15)
    w = _step(opt, w, G, state)
    np.testing.assert_allclose(w, [0.734, -0.67], rtol=1e-14)
    np.testing.assert_allclose(state.slots["momentum_buffer"], [1.66, -8.3], rtol=1e-15)


def test_sgd_with_nesterov():
    # b = g at step 1;  w - 0.1 (g + 0.9 b) = w - 0.19 g:
    #   1 - 0.095 = 0.905        -2 + 0.76 = -1.24
    opt = fnn.SGD(lr=0.1, momentum=0.9, nesterov=True)
    np.testing.assert_allclose(
        _step(opt, W, G, opt.init(W)), [0.905, -1.24], rtol=1e-15
    )


def test_adam():
    # betas (0.5, 0.75), lr 0.1, eps 0.  Step 1:
    #   m = 0.5 g:         0.25                 -2
    #   v = 0.25 g^2:      0.0625               4
    #   m / (1 - 0.5):     0.5                  -4
    #   v / (1 - 0.75):    0.25                 16          roots 0.5 and 4
    #   w - 0.1 m / root:  1 - 0.1 = 0.9        -2 + 0.1 = -1.9
    # Step 2, with g = (1, 4):
    #   m = 0.5 m + 0.5 g: 0.125 + 0.5 = 0.625  -1 + 2 = 1
    #   v = .75 v + .25 g^2:
    #                      0.046875 + 0.25 = 0.296875       3 + 4 = 7
    #   m / (1 - 0.25):    0.8333333            1.3333333
    #   v / (1 - 0.5625):  0.6785714            16
    #   roots:             0.8237545            4
    #   w:                 0.9 - 0.1011628 = 0.7988372
    #                      -1.9 - 0.0333333 = -1.9333333
    opt = fnn.Adam(lr=0.1, betas=(0.5, 0.75), eps=0.0)
    state = opt.init(W)
    w = _step(opt, W, G, state)
    np.testing.assert_allclose(w, [0.9, -1.9], rtol=1e-14)
    np.testing.assert_allclose(state.slots["exp_avg"], [0.25, -2.0], rtol=1e-15)
    np.testing.assert_allclose(state.slots["exp_avg_sq"], [0.0625, 4.0], rtol=1e-15)
    w = _step(opt, w, np.array([1.0, 4.0]), state)
    np.testing.assert_allclose(w, [0.7988372, -1.9333333], rtol=1e-7)


def test_lion():
    # b1 = 0.5, b2 = 0.75, lr 0.1, weight decay 1: w shrinks by the factor 0.9.  Step 1:
    #   c = 0.5 g, its sign:  +                       -
    #   w:                    0.9 - 0.1 = 0.8         -1.8 + 0.1 = -1.7
    #   m = 0.25 g:           0.125                   -1
    # Step 2, g = (-0.1, 0.5): c = 0.5 m + 0.5 g
    #                         0.0125, sign +          -0.25, sign -
    #   w:                    0.72 - 0.1 = 0.62       -1.53 + 0.1 = -1.43
    opt = fnn.Lion(lr=0.1, betas=(0.5, 0.75), weight_decay=1.0)
    state = opt.init(W)
    w = _step(opt, W, G, state)
    np.testing.assert_allclose(w, [0.8, -1.7], rtol=1e-14)
    np.testing.assert_allclose(state.slots["exp_avg"], [0.125, -1.0], rtol=1e-15)
    w = _step(opt, w, np.array([-0.1, 0.5]), state)
    np.testing.assert_allclose(w, [0.62, -1.43], rtol=1e-14)


def test_rprop():
    # Step size 0.1; step 1 knows no sign before: w - 0.1 sign(g) = 0.9, -1.9.
    # Step 2, g = (0.5, 4): the first grows to 0.12; the second turned: its step halves
    # to 0.05, it stands still, and its gradient is forgotten.
    # Step 3, the same g:   the first grows to 0.144; the second moves by 0.05.
    opt = fnn.Rprop(lr=0.1)
    state = opt.init(W)
    w = _step(opt, W, G, state)
    np.testing.assert_allclose(w, [0.9, -1.9], rtol=1e-15)
    turned = np.array([0.5, 4.0])
    w = _step(opt, w, turned, state)
    np.testing.assert_allclose(w, [0.78, -1.9], rtol=1e-14)
    np.testing.assert_array_equal(state.slots["prev"], [0.5, 0.0])
    w = _step(opt, w, turned, state)
    np.testing.assert_allclose(w, [0.636, -1.95], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_maximize_climbs(dtype):
    w, v = W.astype(dtype), W.astype(dtype)
    down, up = fnn.Adam(lr=0.1), fnn.Adam(lr=0.1, maximize=True)
    down.update(w, -G.astype(dtype), down.init(w))
    up.update(v, G.astype(dtype), up.init(v))
    np.testing.assert_array_equal(w, v)
