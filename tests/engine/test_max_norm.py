"""max_norm: no unit's incoming weights are longer after a step (Srivastava 2014)."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import classes, settled


def test_by_hand():
    """One row of length 5 after the step comes back to 2, one of length 1 stays."""
    W = [[3.0, 4.0], [0.6, 0.8]]
    net = fnn.Sequential(fnn.Dense(2, init=(W, [7.0, 9.0])), dtype="float64")
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(0.0), max_norm=2.0)
    trainer.step([[1.0, 1.0]], [[0.0, 0.0]])
    state = net.state_dict()
    np.testing.assert_allclose(state["0.weight"], [[1.2, 1.6], [0.6, 0.8]])
    assert state["0.bias"].tolist() == [7.0, 9.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_unit_of_every_layer_after_every_step(rng, dtype):
    """Also where a layer's rows lie in several slices; normalisation is let alone."""
    layers = (fnn.Dense(300, "relu"), fnn.LayerNorm(), fnn.Dense(200), fnn.Dense(3))
    net = settled(fnn.Sequential(*layers, dtype=dtype), rng)
    free = net.copy()
    trainers = [
        fnn.Trainer(n, optimizer=fnn.SGD(0.5), max_norm=limit)
        for n, limit in ((net, 1.5), (free, None))
    ]
    was_limited = False
    for _ in range(5):
        X, y = classes(rng, 30)
        free.load_state_dict(net.state_dict())
        for trainer in trainers:
            trainer.step(X, y)
        for name, ours in net.state_dict().items():
            theirs = free.state_dict()[name]
            if ours.ndim != 2:
                assert (ours == theirs).all()
                continue
            norm = np.linalg.norm(theirs.astype(np.float64), axis=1, keepdims=True)
            limited = theirs * np.minimum(1, 1.5 / norm)
            rtol = 1e-5 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(ours, limited, rtol=rtol)
            was_limited |= bool((norm > 1.5).any() and (norm < 1.5).any())
    assert was_limited
