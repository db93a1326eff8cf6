"""A 2-2-1 network, one row, one step of SGD and of Adam, worked out by hand."""

import numpy as np
import pytest

import fastnn as fnn

# x = (1, 2), target y = 1
#
# W1 = | 1   0.5 |   b1 = ( 0  )    z1 = W1 x + b1 = (1 + 1, -1 + 0.5 - 0.5) = (2, -1)
#      | -1 0.25 |        (-0.5)    h = relu(z1) = (2, 0)
#
# W2 = (0.75, -1)    b2 = 0.5       o = W2 h + b2 = 1.5 - 0 + 0.5 = 2
#
# loss = (o - y)^2 = 1              do = 2 (o - y) = 2
# dW2 = do h = (4, 0)               db2 = 2
# dh = do W2 = (1.5, -2)            dz1 = dh * (z1 > 0) = (1.5, 0)
# dW1 = dz1 x^T = | 1.5 3 |         db1 = (1.5, 0)
#                 | 0   0 |
X, Y = [[1.0, 2.0]], [1.0]
W1, B1 = [[1.0, 0.5], [-1.0, 0.25]], [0.0, -0.5]
W2, B2 = [[0.75, -1.0]], [0.5]
GRADIENTS = {
    "0.weight": [[1.5, 3.0], [0.0, 0.0]],
    "0.bias": [1.5, 0.0],
    "1.weight": [[4.0, 0.0]],
    "1.bias": [2.0],
}


def _net(dtype="float64"):
    layers = fnn.Dense(2, "relu", init=(W1, B1)), fnn.Dense(1, init=(W2, B2))
    return fnn.Sequential(*layers, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_loss_and_gradient(dtype):
    net = _net(dtype)
    assert net.hidden(X, 0).tolist() == [[2.0, 0.0]]
    assert net.predict(X).tolist() == [[2.0]]
    loss, gradients = net.loss_and_gradients(X, Y, loss="mse")
    assert loss == 1.0
    assert {name: g.tolist() for name, g in gradients.items()} == GRADIENTS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_of_sgd(dtype):
    # w - 0.5 g, exact in binary
    net = _net(dtype)
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=0.5))
    assert trainer.step(X, Y) == 1.0
    state = {name: a.tolist() for name, a in net.state_dict().items()}
    assert state == {
        "0.weight": [[1.0 - 0.75, 0.5 - 1.5], [-1.0, 0.25]],
        "0.bias": [0.0 - 0.75, -0.5],
        "1.weight": [[0.75 - 2.0, -1.0]],
        "1.bias": [0.5 - 1.0],
    }
    # z1 = (0.25 - 2 - 0.75, -1) = (-2.5, -1): both units are off, o = b2 = -0.5
    assert net.predict(X).tolist() == [[-0.5]]
    assert trainer.step(X, Y) == 2.25  # (-0.5 - 1)^2


def test_a_step_of_adam():
    # m = 0.1 g, v = 0.001 g^2; unbiased m / 0.1 = g, v / 0.001 = g^2:
    # the first step is lr g / (|g| + eps), i.e. 0.1 against the sign of g, but for
    # eps = 1e-8; where g = 0 it is 0.
    net = _net()
    fnn.Trainer(net, loss="mse", optimizer=fnn.Adam(lr=0.1)).step(X, Y)

    def after(w, g):
        return w - 0.1 * g / (abs(g) + 1e-8)

    wanted = {
        "0.weight": [[after(1.0, 1.5), after(0.5, 3.0)], [-1.0, 0.25]],
        "0.bias": [after(0.0, 1.5), -0.5],
        "1.weight": [[after(0.75, 4.0), -1.0]],
        "1.bias": [after(0.5, 2.0)],
    }
    for name, array in net.state_dict().items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-15, atol=1e-16)


def test_a_second_step_of_adam_on_one_weight():
    # o = w x with x = 1, y = 0, w = 1: g = 2 w.
    # Step 1: g = 2, w = 1 - 0.5 * 2 / (2 + 1e-8) = 0.5 (+ 2.5e-9)
    # Step 2: g = 1, m = 0.9 * 0.2 + 0.1 * 1 = 0.28,  m / (1 - 0.81)     = 28 / 19
    #         v = 0.999 * 0.004 + 0.001 = 0.004996,   v / (1 - 0.998001) = 4996 / 1999
    #         w = 0.5 - 0.5 * (28 / 19) / sqrt(4996 / 1999) = 0.0339...
    net = fnn.Sequential(
        fnn.Dense(1, use_bias=False, init=([[1.0]], None)), dtype="float64"
    )
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.Adam(lr=0.5))
    for _ in range(2):
        trainer.step([[1.0]], [0.0])
    wanted = 0.5 - 0.5 * (28 / 19) / np.sqrt(4996 / 1999)
    assert net.parameters[0] == pytest.approx(wanted, abs=1e-8)
