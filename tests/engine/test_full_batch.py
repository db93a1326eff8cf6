"""Fits by L-BFGS: a step on all rows, and all else as with any optimizer."""

import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes, curves, features, settled

MANY = 2500  # rows: more than two chunks
PLAIN = (fnn.Dense(7, "tanh"), fnn.LayerNorm(), fnn.Dense(3))
MASKED = (fnn.Dense(7, "tanh"), fnn.Dropout(0.3), fnn.Dense(3))
NORMED = (fnn.Dense(7), fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(3))
WIDE = (fnn.Dense(200, "tanh"), fnn.Dense(100, "tanh"), fnn.Dense(3))  # two tiles
NETWORKS = {"plain": PLAIN, "masked": MASKED, "normed": NORMED, "wide": WIDE}
EXACT = {"tolerance_grad": 0.0, "tolerance_change": 0.0, "max_eval": 10_000}


def _net(layers=PLAIN, dtype="float64", seed=3):
    return fnn.Sequential(*layers, dtype=dtype, seed=seed)


def _flat(gradients):
    return np.concatenate([g.ravel() for g in gradients.values()])


def _minimized(net, opt, X, y, **options):
    """Minimise net.loss_and_gradients, where all rows are one batch, from Python."""

    def fun(w):
        net.parameters[:] = w
        loss, gradients = net.loss_and_gradients(X, y, training=True, **options)
        return loss, _flat(gradients)

    result = opt.minimize(fun, net.parameters.copy())
    net.parameters[:] = result.x
    return result


# -- the objective --------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 40, 1024, 1025, MANY])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_epoch_minimises_the_loss_of_all_rows(rng, name, rows):
    """Chunks, their masks, weights and penalties make up the loss of one batch."""
    if name == "normed" and rows == 1:
        pytest.skip("no variance")
    X, y = classes(rng, rows)
    weight = rng.uniform(size=rows)
    weight[1024:2048] = 0  # a chunk that counts for nothing
    options = {"l1": 1e-3, "l2": 1e-2, "sample_weight": weight, "loss": "cross_entropy"}
    opt = fnn.LBFGS(max_iter=6, **EXACT)
    net = settled(_net(NETWORKS[name]), rng)
    twin = net.copy()
    history = net.fit(X, y, optimizer=opt, epochs=1, **options)
    result = _minimized(twin, opt, X, y, **options)
    np.testing.assert_allclose(net.parameters, twin.parameters, rtol=1e-8, atol=1e-10)
    del options["l1"], options["l2"]  # the loss that is told is without
    without = twin.loss_and_gradients(X, y, training=True, **options)[0]
    assert history.history["loss"] == pytest.approx([without], rel=1e-9)
    assert without < result.fun


def test_linear_least_squares(rng):
    X = features(rng, 300)
    y = X @ rng.normal(size=(5, 2)) + rng.normal(size=(300, 2))
    net = _net([fnn.Dense(2)])
    opt = fnn.LBFGS(tolerance_grad=1e-12, tolerance_change=0.0)
    history = net.fit(X, y, loss="mse", optimizer=opt, epochs=50)
    with_ones = np.c_[X, np.ones(300)]
    solution = np.linalg.lstsq(with_ones, y, rcond=None)[0]
    least = np.mean((with_ones @ solution - y) ** 2)
    assert history.stop_reason == "converged"
    assert history.history["loss"][-1] == pytest.approx(least, rel=1e-13)
    state = net.state_dict()
    np.testing.assert_allclose(state["0.weight"].T, solution[:5], atol=1e-9)
    np.testing.assert_allclose(state["0.bias"], solution[5], atol=1e-9)


def test_a_network_gets_as_low_as_with_scipy(rng):
    """The same number of evaluations of the same objective from the same weights."""
    optimize = pytest.importorskip("scipy.optimize")
    X, y = classes(rng, 120)
    net = settled(_net([fnn.Dense(6, "tanh"), fnn.Dense(3)]), rng)
    twin = net.copy()

    def fun(w):
        twin.parameters[:] = w
        loss, g = twin.loss_and_gradients(X, y, loss="cross_entropy", l2=1e-2)
        return loss, _flat(g)

    scipys = optimize.minimize(
        fun,
        net.parameters.copy(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 300, "maxfun": 350, "maxcor": 20, "ftol": 1e-12},
    )
    opt = fnn.LBFGS(max_iter=300, max_eval=350, history_size=20, tolerance_change=1e-12)
    net.fit(X, y, optimizer=opt, l2=1e-2, epochs=1)
    loss = net.loss_and_gradients(X, y, loss="cross_entropy", l2=1e-2)[0]
    assert loss <= scipys.fun * (1 + 1e-3)


def test_metrics_and_loss_are_those_after_the_epoch(rng):
    X, y = classes(rng, MANY)
    Xv, yv = classes(rng, 50)
    net = _net()
    history = net.fit(
        X,
        y,
        optimizer="lbfgs",
        epochs=3,
        metrics=["accuracy"],
        validation_data=(Xv, yv),
    )
    for data, prefix in (((X, y), ""), ((Xv, yv), "val_")):
        for name, value in net.evaluate(*data, metrics=["accuracy"]).items():
            assert history.history[prefix + name][-1] == pytest.approx(value, rel=1e-12)
    assert history.history["lr"] == [1.0] * len(history.epoch)


def test_a_search_that_fails_leaves_the_scores_of_the_weights(rng):
    """The last point evaluated is then another: kinks of l1 and a step that is huge."""
    X, y = classes(rng, 60)
    net = _net([fnn.Dense(4, "relu"), fnn.Dense(3)])
    opt = fnn.LBFGS(lr=1e6, max_iter=50, **EXACT)
    history = net.fit(
        X,
        y,
        optimizer=opt,
        l1=0.05,
        epochs=20,
        metrics=["accuracy"],
        validation_data=(X, y),
    )
    scores = history.history
    assert scores["loss"] == pytest.approx(scores["val_loss"], rel=1e-12)
    assert scores["accuracy"] == scores["val_accuracy"]
    assert net.evaluate(X, y)["loss"] == pytest.approx(scores["loss"][-1], rel=1e-12)


def test_running_statistics_move_with_each_iteration(rng):
    X, y = classes(rng, 1200)
    net = _net(NORMED)
    net.fit(X, y, optimizer=fnn.LBFGS(max_iter=7, **EXACT), epochs=2)
    state = net.state_dict()
    assert state["1.num_batches_tracked"] == 14
    hidden = X @ state["0.weight"].T + state["0.bias"]
    assert np.abs(state["1.running_mean"] - hidden.mean(axis=0)).max() < 1.0


# -- the same bits --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_threads_change_no_bit(rng, name, dtype):
    X, y = classes(rng, MANY)
    fits = []
    for n_threads in (1, 2, 3):
        net = _net(NETWORKS[name], dtype)
        history = net.fit(
            X,
            y,
            optimizer=fnn.LBFGS(max_iter=4),
            epochs=4,
            l2=1e-3,
            metrics=["auc"],
            validation_split=0.1,
            n_threads=n_threads,
        )
        fits.append((bits(net), curves(history)))
    assert fits[0] == fits[1] == fits[2]


@pytest.mark.parametrize("name", NETWORKS)
def test_batch_size_and_shuffle_have_no_effect(rng, name):
    X, y = classes(rng, 1100)
    fits = []
    for options in ({}, {"batch_size": 7}, {"batch_size": 10**9, "shuffle": False}):
        net = _net(NETWORKS[name])
        history = net.fit(
            X, y, optimizer="lbfgs", epochs=2, metrics=["accuracy"], **options
        )
        fits.append((bits(net), curves(history)))
    assert fits[0] == fits[1] == fits[2]


def test_what_is_known_at_an_epochs_start_is_not_computed_again(rng):
    """Single steps, which do evaluate first, have the bits of the epochs of a fit."""
    X, y = classes(rng, 200)
    fitted, stepped = _net(), _net()
    fitted.fit(X, y, optimizer=fnn.LBFGS(max_iter=3), epochs=6)
    trainer = fnn.Trainer(stepped, optimizer=fnn.LBFGS(max_iter=3))
    losses = [trainer.step(X, y) for _ in range(6)]
    assert bits(fitted) == bits(stepped)
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(
        _net().build(5).evaluate(X, y, loss="cross_entropy")["loss"]
    )


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("averaging", [None, fnn.EMA(decay=0.5)])
def test_a_resumed_fit_has_the_bits_of_an_uninterrupted_one(
    rng, tmp_path, name, averaging
):
    X, y = classes(rng, 90)
    opt = fnn.LBFGS(max_iter=3, history_size=4)
    callbacks = [averaging] if averaging else []
    options = {"epochs": 7, "validation_split": 0.2, "metrics": ["accuracy"]}
    whole = fnn.Trainer(_net(NETWORKS[name]), optimizer=opt)
    wanted = whole.fit(X, y, callbacks=callbacks, **options)

    def fail(info):
        if info.epoch == 4:
            raise RuntimeError

    file = tmp_path / "run.fnn"
    broken = fnn.Trainer(_net(NETWORKS[name]), optimizer=opt)
    with pytest.raises(RuntimeError):
        broken.fit(X, y, checkpoint=file, callbacks=[*callbacks, fail], **options)
    resumed = fnn.Trainer.resume(file)
    got = resumed.fit(X, y, callbacks=callbacks, **options)
    assert bits(resumed.net) == bits(whole.net)
    assert curves(got) == curves(wanted)


def test_curvature_is_kept_between_fits_of_a_trainer(rng):
    X, y = classes(rng, 100)
    once, twice, fresh = _net(), _net(), _net()
    opt = fnn.LBFGS(max_iter=5)
    once.fit(X, y, optimizer=opt, epochs=4)
    trainer = fnn.Trainer(twice, optimizer=opt)
    for _ in range(2):
        trainer.fit(X, y, epochs=2)
        fresh.fit(X, y, optimizer=opt, epochs=2)
    assert bits(twice) == bits(once)
    assert bits(fresh) != bits(once)


# -- the end --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tolerances_of_zero_end_in_rounding(rng, dtype):
    X, y = classes(rng, 50)
    net = _net([fnn.Dense(3)], dtype)
    history = net.fit(
        X, y, optimizer=fnn.LBFGS(**EXACT), l2=0.1, epochs=10**5, n_threads=1
    )
    assert history.stop_reason == "converged"
    assert "converged" in repr(history)
    assert len(history.epoch) < 200


def test_at_the_minimum_an_epoch_changes_nothing(rng):
    X = features(rng, 30)
    net = settled(_net([fnn.Dense(1)]), rng)
    y = net.predict(X)
    before = bits(net)
    history = net.fit(X, y, loss="mse", optimizer="lbfgs", epochs=9, metrics=["r2"])
    assert history.stop_reason == "converged"
    assert history.epoch == [0]
    assert history.history["r2"] == [1.0]
    assert bits(net) == before


def test_masks_of_dropout_leave_no_fit_converged(rng):
    X, y = classes(rng, 50)
    net = _net([fnn.Dropout(0.5), fnn.Dense(3)])
    opt = fnn.LBFGS(tolerance_change=1.0)  # met at once
    history = net.fit(X, y, optimizer=opt, epochs=5)
    assert (history.stop_reason, len(history.epoch)) == ("epochs", 5)
    assert len(set(history.history["loss"])) == 5


def test_early_stopping_restores_the_best_epoch(rng):
    X, y = classes(rng, 60)
    net, seen = _net([fnn.Dense(30, "tanh"), fnn.Dense(3)]), []
    history = net.fit(
        X,
        rng.permutation(y),
        optimizer=fnn.LBFGS(max_iter=2),
        epochs=200,
        validation_data=classes(rng, 40),
        early_stopping=fnn.EarlyStopping(patience=3),
        callbacks=[lambda info: seen.append(bits(info.net))],
    )
    assert history.stop_reason == "early_stopping"
    assert history.best_epoch < len(seen) - 1
    assert bits(net) == seen[history.best_epoch]


def test_weights_that_a_callback_wrote_are_gone_on_from(rng):
    X, y = classes(rng, 100)
    start = settled(_net(), rng).parameters.copy()

    def write(info):
        if info.epoch == 1:
            info.net.parameters[:] = start

    net, twin = _net(), _net()
    opt = fnn.LBFGS(max_iter=3)
    net.fit(X, y, optimizer=opt, epochs=3, callbacks=[write])
    trainer = fnn.Trainer(twin, optimizer=opt)
    trainer.fit(X, y, epochs=2)
    twin.parameters[:] = start
    trainer.fit(X, y, epochs=1)
    assert bits(net) == bits(twin)
    assert not np.array_equal(net.parameters, start)


# -- divergence, interruption, errors -------------------------------------------------


def test_fixed_steps_that_blow_up_restore_the_last_finite_epoch(rng):
    X, y = features(rng, 40), rng.normal(size=(40, 1))
    net, seen = _net([fnn.Dense(5), fnn.Dense(1)]), []
    opt = fnn.LBFGS(lr=50.0, max_iter=1, line_search_fn=None)
    trainer = fnn.Trainer(net, loss="mse", optimizer=opt)
    with pytest.raises(fnn.DivergedError) as error:
        trainer.fit(
            X, y, epochs=1000, callbacks=[lambda info: seen.append(bits(info.net))]
        )
    assert error.value.history.stop_reason == "diverged"
    assert bits(net) == seen[-1]


def test_a_step_that_blows_up_leaves_the_network_as_it_was(rng):
    X, y = features(rng, 40), rng.normal(size=(40, 1))
    net = _net([fnn.Dense(5), fnn.Dense(1)]).build(5)
    opt = fnn.LBFGS(lr=1e100, max_iter=9, line_search_fn=None, tolerance_change=0.0)
    before = bits(net)
    with pytest.raises(fnn.DivergedError, match="the loss became"):
        fnn.Trainer(net, loss="mse", optimizer=opt).step(X, y)
    assert bits(net) == before


def test_a_search_backs_off_where_the_loss_overflows(rng):
    """A first step of 1e25 in float32: infinite losses are no divergence."""
    X, y = features(rng, 40), rng.normal(size=(40, 1))
    net = _net([fnn.Dense(8, "relu"), fnn.Dense(1)], "float32")
    first = net.build(5).evaluate(X, y, loss="mse")["loss"]
    history = net.fit(X, y, loss="mse", optimizer=fnn.LBFGS(lr=1e25), epochs=3)
    assert history.history["loss"][-1] < first


def test_a_start_that_is_not_finite_diverges(rng):
    X, y = classes(rng, 40)
    net = _net().build(5)
    net.parameters[:] = 1e300
    before = bits(net)
    with pytest.raises(fnn.DivergedError, match="the loss became"):
        net.fit(X, y, optimizer="lbfgs")
    assert bits(net) == before


@pytest.mark.parametrize("call", ["fit", "step"])
@pytest.mark.parametrize("name", ["plain", "normed"])
def test_ctrl_c_leaves_the_last_finished_iteration(rng, name, call):
    X = features(rng, 12_000, 40)
    y = rng.integers(0, 3, size=12_000)
    layers = {
        "plain": (fnn.Dense(64, "tanh"), fnn.Dense(3)),
        "normed": (fnn.Dense(64), fnn.BatchNorm(), fnn.Tanh(), fnn.Dense(3)),
    }[name]
    opt = fnn.LBFGS(
        max_iter=10**6, max_eval=10**9, **dict(itertools.islice(EXACT.items(), 2))
    )
    net = fnn.Sequential(*layers).build(40)
    first, sent = bits(net), []

    def interrupt():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    trainer = fnn.Trainer(net, optimizer=opt)
    threading.Timer(0.4, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        getattr(trainer, call)(X, y)
    assert time.perf_counter() - sent[0] < 0.5

    wanted, seen = bits(net), [first]

    def is_it(info):
        seen.append(bits(info.net))
        return seen[-1] == wanted

    by_one = fnn.LBFGS(max_iter=1, tolerance_grad=0.0, tolerance_change=0.0)
    twin = fnn.Sequential(*layers).build(40)
    if wanted != first:
        twin.fit(X, y, optimizer=by_one, epochs=3000, callbacks=[is_it])
    assert wanted in seen
    trainer.step(X[:50], y[:50])  # and is of use again


@pytest.mark.parametrize("rows", [60, MANY])
def test_a_loss_that_raises_leaves_the_last_finished_iteration(rng, rows):
    """Its exception ends a search half-way, at a point that was only tried."""
    X, y = features(rng, rows), rng.normal(size=(rows, 1))
    calls, seen = itertools.count(), []

    def loss(outputs, targets):
        if next(calls) == 30:
            raise ZeroDivisionError
        return ((outputs - targets) ** 2).sum(axis=1), 2 * (outputs - targets)

    net = _net([fnn.Dense(6, "tanh"), fnn.Dense(1)])
    trainer = fnn.Trainer(net, loss=loss, optimizer=fnn.LBFGS(max_iter=1, **EXACT))
    with pytest.raises(ZeroDivisionError):
        trainer.fit(
            X, y, epochs=99, callbacks=[lambda info: seen.append(bits(info.net))]
        )
    assert len(seen) > 1
    assert bits(net) == seen[-1]
    trainer.fit(X, y, epochs=1)  # and is of use again
    assert bits(net) != seen[-1]


@pytest.mark.parametrize("name", ["plain", "masked"])
def test_csr_rows_have_the_bits_of_dense_ones(rng, name):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = classes(rng, MANY, 9)
    X *= rng.uniform(size=X.shape) < 0.3
    fits = []
    for rows in (X, sparse.csr_matrix(X)):
        net = _net(NETWORKS[name])
        history = net.fit(rows, y, optimizer="lbfgs", epochs=2, metrics=["accuracy"])
        fits.append((bits(net), curves(history)))
    assert fits[0] == fits[1]


# name: (options of Trainer, words)
REFUSED = {
    "clip_norm": ({"clip_norm": 1.0}, ["clip_norm", "None", "1.0", "line search"]),
    "clip_value": ({"clip_value": 0.5}, ["clip_value", "None", "0.5"]),
    "max_norm": ({"max_norm": 2.0}, ["max_norm", "None", "2.0"]),
    "schedule": ({"schedule": fnn.Cosine(3)}, ["schedule", "Cosine", "line search"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_contradicts_it(name):
    options, words = REFUSED[name]
    with pytest.raises(ValueError, match="LBFGS") as error:
        fnn.Trainer(_net(), optimizer="lbfgs", **options)
    assert all(word in str(error.value) for word in words), error.value


def test_refuses_layers_with_a_rate_of_their_own():
    net = _net([fnn.Dense(3), fnn.Dense(3, lr_scale=0.5)])
    with pytest.raises(ValueError, match=r"layer 1: lr_scale must be 1 with LBFGS"):
        fnn.Trainer(net, optimizer="lbfgs")


def test_a_schedule_sets_the_length_of_fixed_steps(rng):
    X, y = classes(rng, 60)
    opt = fnn.LBFGS(lr=0.1, max_iter=2, line_search_fn=None)
    history = _net().fit(X, y, optimizer=opt, schedule=fnn.StepDecay(1, 0.5), epochs=3)
    assert history.history["lr"] == [0.1, 0.05, 0.025]


def test_other_rows_that_a_callback_trains_on_are_not_taken_for_the_fits_own(rng):
    X, other = rng.normal(size=(200, 4)), rng.normal(size=(50, 4))
    y, others = np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:3], np.cos(other[:, :1])

    def trainer():
        net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1), dtype="float64")
        return fnn.Trainer(net, loss="mse", optimizer=fnn.LBFGS(max_iter=5))

    apart = trainer()
    losses = apart.fit(X, y, epochs=3).history["loss"]
    apart.step(other, others)
    losses += apart.fit(X, y, epochs=3).history["loss"]

    def train_others(info):
        if info.epoch == 2:
            info.trainer.step(other, others)

    history = trainer().fit(X, y, epochs=6, callbacks=[train_others])
    assert history.history["loss"] == losses


@pytest.mark.parametrize(("seed", "steps"), [(2, 15), (6, 29), (18, 25)])
def test_statistics_follow_where_a_search_ends_at_an_earlier_point(seed, steps):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4)) * 3 + 5
    y = np.sin(X[:, :1]) * 10
    layers = fnn.Dense(8, "relu"), fnn.BatchNorm(), fnn.Dense(1)
    net = fnn.Sequential(*layers, seed=seed, dtype="float64").build(4)
    trainer = fnn.Trainer(net, loss="mae", optimizer=fnn.LBFGS(max_iter=1))
    for _ in range(steps + 1):
        before = net.state_dict()
        trainer.step(X, y)
        after = net.state_dict()
        moved = (before["0.weight"] != after["0.weight"]).any()
        follow = (before["1.running_mean"] != after["1.running_mean"]).any()
        assert follow or not moved
