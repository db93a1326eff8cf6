"""PReLU: slopes are learned, and spared by what acts on weights."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import classes


def test_by_hand():
    """Slopes 0.5 and -1 at x = (-2, -3): y = (-1, 3); dy = y / 2, of four numbers."""
    net = fnn.Sequential(fnn.PReLU(per_unit=True), dtype="float64").build(2)
    net.parameters[:] = [0.5, -1.0]
    X, y = [[-2.0, -3.0], [4.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]
    assert net.predict(X).tolist() == [[-1.0, 3.0], [4.0, 0.0]]
    loss, gradients = net.loss_and_gradients(X, y, loss="mse")
    assert loss == (1 + 9 + 16) / 4
    assert gradients["0.weight"].tolist() == [-1 * -2 / 2, 3 * -3 / 2]


def test_one_slope_collects_from_all_units(rng):
    shared = fnn.Sequential(fnn.PReLU(0.3), dtype="float64").build(21)
    apart = fnn.Sequential(fnn.PReLU(0.3, per_unit=True), dtype="float64").build(21)
    X, y = rng.normal(size=(50, 21)), rng.normal(size=(50, 21))
    one = shared.loss_and_gradients(X, y, loss="mse")[1]["0.weight"]
    many = apart.loss_and_gradients(X, y, loss="mse")[1]["0.weight"]
    assert one.shape == (1,)
    np.testing.assert_allclose(one[0], many.sum(), rtol=1e-12)


def test_penalties_and_max_norm_leave_slopes_alone(rng):
    X, y = classes(rng, 40)
    net = fnn.Sequential(fnn.PReLU(50.0), fnn.Dense(3), dtype="float64").build(5)
    bare = net.loss_and_gradients(X, y, loss="cross_entropy")
    both = net.loss_and_gradients(X, y, loss="cross_entropy", l1=0.5, l2=0.5)
    np.testing.assert_array_equal(bare[1]["0.weight"], both[1]["0.weight"])
    net.fit(X, y, epochs=1, optimizer=fnn.SGD(1e-9), max_norm=1.0)
    assert net.state_dict()["0.weight"][0] == pytest.approx(50.0, rel=1e-6)


def test_auto_takes_it_for_a_rectifier():
    nets = [
        fnn.Sequential(fnn.Dense(30, init=init), *between, fnn.PReLU(), seed=1).build(
            40
        )
        for init, between in (
            ("auto", []),
            ("he_normal", []),
            ("auto", [fnn.BatchNorm(), fnn.AlphaDropout()]),
        )
    ]
    weights = [net.state_dict()["0.weight"] for net in nets]
    np.testing.assert_array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[0], weights[2])
