"""Weight normalisation: lengths and directions in place of weights."""

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import classes, features, settled

PLAIN = [fnn.Dense(7, "tanh"), fnn.Dense(3, use_bias=False)]
NORMED = [
    fnn.Dense(7, "tanh", weight_norm=True),
    fnn.Dense(3, use_bias=False, weight_norm=True),
]


def _weights(net, i):
    return net.layers[i].weight(net.state_dict(), i)


def test_one_step_by_hand():
    """v = (3, 4), g = 10: w = (6, 8); x = (1, 0.5), y = 0: o = 10, dw = 20 x.

    dg = 20 (1, 0.5) . (0.6, 0.8) = 20; dv = 10 / 5 (20 x - 20 (0.6, 0.8)) = (16, -12),
    which is across v.
    """
    layer = fnn.Dense(1, use_bias=False, weight_norm=True)
    net = fnn.Sequential(layer, dtype="float64").build(2)
    net.parameters[:] = [10.0, 3.0, 4.0]
    X, y = [[1.0, 0.5]], [0.0]
    assert net.predict(X).tolist() == [[10.0]]
    loss, gradients = net.loss_and_gradients(X, y, loss="mse")
    assert loss == pytest.approx(100, rel=1e-15)
    np.testing.assert_allclose(gradients["0.weight_g"], [[20.0]], rtol=1e-14)
    np.testing.assert_allclose(gradients["0.weight_v"], [[16.0, -12.0]], rtol=1e-14)
    assert fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(0.01)).step(X, y) == loss
    np.testing.assert_allclose(net.parameters, [9.8, 2.84, 4.12], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("init", ["auto", "torch", "orthogonal"])
def test_it_starts_as_without(rng, init, dtype):
    nets = [
        fnn.Sequential(fnn.Dense(7, "relu", init=init, weight_norm=norm), dtype=dtype)
        for norm in (False, True)
    ]
    X = features(rng, 9)
    outputs = [net.build(5).predict(X) for net in nets]
    tolerance = {"float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=0, atol=5 * tolerance)
    state = nets[1].state_dict()
    assert {k: v.shape for k, v in state.items()} == {
        "0.weight_g": (7, 1),
        "0.weight_v": (7, 5),
        "0.bias": (7,),
    }


def test_given_arrays(rng):
    W, b = rng.normal(size=(4, 5)), rng.normal(size=4)
    net = fnn.Sequential(fnn.Dense(4, init=(W, b), weight_norm=True), dtype="float64")
    X = features(rng, 6)
    np.testing.assert_allclose(net.predict(X), X @ W.T + b, rtol=1e-13)
    np.testing.assert_allclose(_weights(net, 0), W, rtol=1e-14)


def test_the_length_of_a_direction_does_not_count(rng):
    net = settled(fnn.Sequential(*NORMED, dtype="float64"), rng)
    X, y = classes(rng, 20)
    options = {"loss": "cross_entropy", "l1": 0.1, "l2": 0.3}
    outputs, before = net.predict(X), net.loss_and_gradients(X, y, **options)
    state = net.state_dict()
    state["0.weight_v"] *= rng.uniform(0.1, 10.0, size=(7, 1))
    net.load_state_dict(state)
    np.testing.assert_allclose(net.predict(X), outputs, rtol=1e-12)
    after = net.loss_and_gradients(X, y, **options)
    assert after[0] == pytest.approx(before[0], rel=1e-12)
    np.testing.assert_allclose(after[1]["0.weight_g"], before[1]["0.weight_g"])


def test_penalties_count_for_the_weights(rng):
    net = settled(fnn.Sequential(*NORMED, dtype="float64"), rng)
    X, y = classes(rng, 20)
    bare, _ = net.loss_and_gradients(X, y, loss="cross_entropy")
    both, _ = net.loss_and_gradients(X, y, loss="cross_entropy", l1=0.3, l2=0.5)
    w = np.concatenate([_weights(net, i).ravel() for i in (0, 1)])
    penalty = 0.3 * abs(w).sum() + 0.25 * (w**2).sum()
    assert both - bare == pytest.approx(penalty, rel=1e-12)


def test_max_norm_limits_the_lengths(rng):
    X, y = classes(rng, 60)
    net = fnn.Sequential(*NORMED, dtype="float64")
    net.fit(X, y, epochs=5, optimizer=fnn.SGD(0.5), max_norm=0.4)
    for i in (0, 1):
        norms = np.linalg.norm(_weights(net, i), axis=1)
        assert norms.max() == pytest.approx(0.4, rel=1e-12)
        g = net.state_dict()[f"{i}.weight_g"][:, 0]
        np.testing.assert_allclose(norms, abs(g), rtol=1e-12)


def test_a_row_without_direction_is_given_weights_zero(rng):
    """Nobody gets NaN of a file, or of another framework's tensors."""
    net = settled(fnn.Sequential(*NORMED, dtype="float64"), rng)
    state = net.state_dict()
    state["0.weight_v"][2] = 0.0
    net.load_state_dict(state)
    X, y = classes(rng, 20)
    expected = np.tanh(np.full(20, state["0.bias"][2]))
    np.testing.assert_allclose(net.hidden(X, 0)[:, 2], expected)
    assert not _weights(net, 0)[2].any()
    loss, gradients = net.loss_and_gradients(X, y, loss="cross_entropy", l1=1, l2=1)
    assert np.isfinite(loss)
    assert not gradients["0.weight_v"][2].any()
    net.fit(X, y, epochs=2, l1=0.1, l2=0.1)
    assert np.isfinite(net.parameters).all()


def test_few_nonzeros():
    """So few that packing would not pay: the weights are made all the same."""
    net = fnn.Sequential(fnn.Dense(7, weight_norm=True)).build(5000)
    X = np.zeros((3, 5000), "f4")
    X[0, 17], X[1, 4999] = 2.0, -1.0
    for rows in (X, X[:1], X[2:]):
        np.testing.assert_array_equal(
            net.predict(scipy.sparse.csr_array(rows)), net.predict(rows)
        )


def test_huge_and_tiny_directions():
    """|v| is summed in float64: its squares neither overflow nor vanish."""
    net = fnn.Sequential(fnn.Dense(1, use_bias=False, weight_norm=True)).build(2)
    for scale in (1e30, 1e-30):
        net.parameters[:] = [5.0, 3 * scale, 4 * scale]
        np.testing.assert_allclose(net.predict([[1.0, 0.0]]), [[3.0]], rtol=1e-6)


def test_torch_reads_the_tensors(rng):
    torch = pytest.importorskip("torch")
    net = settled(fnn.Sequential(fnn.Dense(4, weight_norm=True)), rng)
    linear = torch.nn.Linear(5, 4)
    with pytest.warns(FutureWarning, match="weight_norm"):
        torch.nn.utils.weight_norm(linear)
    linear.load_state_dict(
        {k.removeprefix("0."): torch.tensor(v) for k, v in net.state_dict().items()}
    )
    X = features(rng, 6).astype("f4")
    theirs = linear(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(net.predict(X), theirs, rtol=1e-5, atol=1e-6)
