"""A run that leaves the finite numbers stops, says where, and takes its net back."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes, features

SHALLOW = (fnn.Dense(3),)
DEEP = (
    fnn.Dense(32, "relu"),
    fnn.Dense(32, "relu"),
    fnn.Dense(32, "relu"),
    fnn.Dense(3),
)
NORMED = (fnn.Dense(32), fnn.BatchNorm(), fnn.ReLU(), fnn.Dense(3))
TANH = (fnn.Dense(32, "tanh"), fnn.Dense(3))


def _data(rng, loss):
    X, y = classes(rng, 200)
    return (X, y) if loss == "cross_entropy" else (X, features(rng, 200, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("epochs", "batch_size"), [(1, 32), (5, 32), (1, 200), (2, 200)]
)
@pytest.mark.parametrize("optimizer", [fnn.SGD(lr=1e6), fnn.Adam(lr=1e6)], ids=repr)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("layers", [SHALLOW, DEEP, NORMED, TANH], ids=len)
def test_a_million_is_no_learning_rate(
    rng, layers, loss, optimizer, epochs, batch_size, dtype
):
    """Even where one step ends the run, whose loss was taken before it."""
    net = fnn.Sequential(*layers, dtype=dtype).build(5)
    X, y = _data(rng, loss)
    states = [bits(net)]
    with pytest.raises(fnn.DivergedError) as caught:
        net.fit(
            X,
            y,
            loss=loss,
            optimizer=optimizer,
            epochs=epochs,
            batch_size=batch_size,
            callbacks=[lambda info: states.append(bits(info.net))],
        )
    error = caught.value
    assert error.lr == 1e6
    assert error.epoch == len(states) - 1 == len(error.history.epoch)
    batches = -(-200 // batch_size)
    assert batches * error.epoch <= error.step <= batches * (error.epoch + 1)
    assert error.history.stop_reason == "diverged"
    assert bits(net) == states[-1]


@pytest.mark.parametrize("layers", [SHALLOW, DEEP, NORMED], ids=len)
def test_after_epochs_that_were_finite(rng, layers):
    """A rate that rises: the epochs before are kept, bit for bit."""
    net = fnn.Sequential(*layers)
    X, y = _data(rng, "mse")
    states = []

    with pytest.raises(fnn.DivergedError) as caught:
        net.fit(
            X,
            y,
            loss="mse",
            optimizer=fnn.SGD(lr=1e-3),
            schedule=fnn.Exponential(10.0),  # 1e-3, 1e-2, ... ruin the run
            epochs=40,
            callbacks=[lambda info: states.append(bits(info.net))],
        )
    error = caught.value
    assert error.epoch == len(states) >= 2
    assert error.lr == pytest.approx(1e-3 * 10.0**error.epoch)
    assert bits(net) == states[-1]
    losses = error.history.history["loss"]
    assert len(losses) == error.epoch
    assert np.isfinite(losses).all()


def test_the_network_is_of_use_afterwards(rng):
    X, y = classes(rng, 200)
    net, fresh = (fnn.Sequential(*DEEP) for _ in range(2))
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=1e6))
    with pytest.raises(fnn.DivergedError):
        trainer.fit(X, y)
    assert bits(net) == bits(fresh.build(5))
    assert np.isfinite(net.predict(X)).all()
    history = net.fit(X, y, epochs=20)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    with pytest.raises(fnn.DivergedError):  # and the same trainer says so again
        fnn.Trainer(net, optimizer=fnn.SGD(lr=1e6)).fit(X, y)


def test_the_state_of_the_optimizer_is_forgotten(rng):
    """Momentum of 1e20 must not spoil what follows: a step like a fresh trainer's."""
    X, y = _data(rng, "mse")
    net = fnn.Sequential(*SHALLOW)
    options = {"loss": "mse", "optimizer": fnn.SGD(lr=1e6, momentum=0.9)}
    trainer = fnn.Trainer(net, **options)
    with pytest.raises(fnn.DivergedError):
        trainer.fit(X, y, epochs=3)
    twin = net.copy()
    trainer.step(X, y)
    fnn.Trainer(twin, **options).step(X, y)
    assert bits(net) == bits(twin)


def test_validation_alone_can_diverge(rng):
    X, y = _data(rng, "mse")
    net = fnn.Sequential(*SHALLOW, dtype="float32").build(5)
    before = bits(net)
    with pytest.raises(fnn.DivergedError, match="val_loss became inf"):
        net.fit(X, y, loss="mse", validation_data=(X * 1e30, y), epochs=2)
    assert bits(net) == before


def test_large_targets_are_no_divergence(rng):
    """The loss is judged against what zero outputs cost, not against a constant."""
    X = features(rng, 100)
    y = 1e8 * (X @ rng.normal(size=5))
    net = fnn.Sequential(fnn.Dense(1), dtype="float64")
    history = net.fit(
        X, y, loss="mse", optimizer=fnn.SGD(lr=0.05), epochs=60, batch_size=10
    )
    assert history.stop_reason == "epochs"
    assert history.history["loss"][-1] < 1e-4 * history.history["loss"][0]


def test_large_weights_are_no_divergence(rng):
    """Tiny features need them: a leap is looked at, and the loss is fine."""
    X = 1e-6 * features(rng, 100)
    y = 1e6 * (X @ rng.normal(size=5))
    net = fnn.Sequential(fnn.Dense(1, use_bias=False, init="zeros"), dtype="float64")
    net.fit(X, y, loss="mse", optimizer=fnn.SGD(lr=2e11), epochs=1, batch_size=100)
    assert np.linalg.norm(net.parameters) > 1e5
    net.fit(X, y, loss="mse", optimizer=fnn.SGD(lr=2e11), epochs=100, batch_size=100)
    assert net.evaluate(X, y)["loss"] < 1e-6


def test_a_hard_start_is_no_divergence(rng):
    """Weights far off, as after a bad restart, may cost what they cost."""
    X, y = features(rng, 100), np.zeros(100)
    net = fnn.Sequential(fnn.Dense(1, init=([[1e6] * 5], [1e6])), dtype="float64")
    history = net.fit(X, y, loss="mse", optimizer=fnn.SGD(lr=0.1), epochs=5)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_a_step_of_the_own_loop(rng):
    X, y = _data(rng, "mse")
    net = fnn.Sequential(*DEEP)
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=1e6))
    steps = 0

    def run():
        nonlocal steps
        for steps in range(50):  # noqa: B007
            trainer.step(X, y)

    with pytest.raises(fnn.DivergedError, match="the loss became") as caught:
        run()
    assert 1 <= steps < 49
    assert (caught.value.epoch, caught.value.step, caught.value.lr) == (0, steps, 1e6)
    assert all(np.isfinite(array).all() for array in net.state_dict().values())


def test_a_step_that_breaks_a_weight_is_taken_back():
    """The loss is finite, the step from it is not: 2 * 1e19 * 1e19 overflows."""
    net = fnn.Sequential(fnn.Dense(1, init=([[0.0]], [0.0])))
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=1e20))
    before = net.parameters.copy()
    with pytest.raises(fnn.DivergedError, match="a weight became infinite or nan"):
        trainer.step([[1e10]], [1e10])
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(("mean", "lr"), [(1e4, 8), (1e6, 10)])
@pytest.mark.parametrize("sum_outputs", [False, True])
def test_counts_are_measured_by_their_size(mean, lr, sum_outputs):
    """NAdam overshoots and comes back: of such counts, such losses are nothing much."""
    X, y = np.zeros((8, 1)), np.full((8, 2), mean)
    net = fnn.Sequential(fnn.Dense(2, init="zeros"), dtype="float64")
    history = net.fit(
        X,
        y,
        loss=fnn.PoissonNLL(sum_outputs=sum_outputs),
        optimizer=fnn.NAdam(lr=lr),
        schedule=fnn.Exponential(0.98),
        epochs=400,
    )
    assert max(history.history["loss"]) > 1e5
    np.testing.assert_allclose(net.predict(X), np.log(mean), rtol=1e-6)
