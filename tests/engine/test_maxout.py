"""Maxout: the largest piece wins, and alone has a gradient."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import classes, features, settled


def _net(rows, pieces, units=1, bias=None):
    net = fnn.Sequential(fnn.Maxout(units, pieces), dtype="float64")
    net.build(len(rows[0]))
    bias = np.zeros(len(rows)) if bias is None else bias
    net.load_state_dict({"0.weight": np.array(rows, float), "0.bias": bias})
    return net


def test_by_hand():
    """Pieces 2x - 1, -x, x + 1 at x = 3: 5, -3, 4; y = 1, loss 16, slope 8."""
    net = _net([[2.0], [-1.0], [1.0]], 3, bias=np.array([-1.0, 0.0, 1.0]))
    assert net.predict([[3.0], [0.0], [-2.0]]).tolist() == [[5.0], [1.0], [2.0]]
    loss, gradients = net.loss_and_gradients([[3.0]], [1.0], loss="mse")
    assert loss == 16.0
    assert gradients["0.weight"].tolist() == [[24.0], [0.0], [0.0]]
    assert gradients["0.bias"].tolist() == [8.0, 0.0, 0.0]


@pytest.mark.parametrize("pieces", [2, 3, 5])
def test_the_first_of_equal_pieces_wins(pieces):
    """For every unit of registers of several lengths, and behind a smaller piece."""
    for units in (1, 7, 16, 33):
        net = _net(np.ones((pieces * units, 2)), pieces, units)
        state = net.state_dict()
        state["0.bias"][:units] = -1.0 if pieces > 2 else 0.0
        net.load_state_dict(state)
        _, gradients = net.loss_and_gradients(
            [[1.0, 2.0]], np.zeros((1, units)), loss="mse"
        )
        winners = np.flatnonzero(gradients["0.bias"]) // units
        assert winners.tolist() == [1 if pieces > 2 else 0] * units


@pytest.mark.parametrize("pieces", [2, 3, 10])
def test_first_weights_keep_the_mean_square(rng, pieces):
    layers = [fnn.Maxout(300, pieces) for _ in range(3)]
    net = fnn.Sequential(*layers).build(300)
    X = rng.normal(size=(400, 300))
    for layer in range(3):
        assert (net.hidden(X, layer) ** 2).mean() == pytest.approx(1, rel=0.2)


def test_two_pieces_are_a_rectifier(rng):
    W, b = rng.normal(size=(6, 5)), rng.normal(size=6)
    relu = fnn.Sequential(fnn.Dense(6, "relu", init=(W, b)), dtype="float64").build(5)
    zero = np.zeros_like(W), np.zeros_like(b)
    maxout = _net(np.concatenate([W, zero[0]]), 2, 6, np.concatenate([b, zero[1]]))
    X = features(rng, 50)
    np.testing.assert_array_equal(relu.predict(X), maxout.predict(X))


def test_max_norm_and_penalties_count_for_each_row(rng):
    X, y = classes(rng, 60)
    net = fnn.Sequential(fnn.Maxout(4), fnn.Dense(3), dtype="float64")
    net.fit(X, y, epochs=5, optimizer=fnn.SGD(0.5), max_norm=0.4)
    state = net.state_dict()
    norms = np.linalg.norm(state["0.weight"], axis=1)
    assert norms.max() == pytest.approx(0.4, rel=1e-12)
    bare, _ = net.loss_and_gradients(X, y, loss="cross_entropy")
    both, _ = net.loss_and_gradients(X, y, loss="cross_entropy", l2=0.5)
    squares = sum((state[name] ** 2).sum() for name in ("0.weight", "1.weight"))
    assert both - bare == pytest.approx(squares / 4, rel=1e-10)


def test_hidden_layers_of_every_width(rng):
    """What lies between the pieces is nobody's business."""
    net = settled(fnn.Sequential(fnn.Maxout(3, 40), fnn.Maxout(2)), rng)
    X = features(rng, 130)
    state = net.state_dict()
    z = X @ state["0.weight"].T + state["0.bias"]
    wanted = z.reshape(-1, 40, 3).max(axis=1)
    np.testing.assert_allclose(net.hidden(X, 0), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(net.hidden(X, 1), net.predict(X))


def test_too_many_pieces_are_an_error():
    net = fnn.Sequential(fnn.Maxout(2**40, 2**40))
    with pytest.raises(MemoryError, match="fewer units"):
        net.build(3)
