"""What the options of a fit mean, each told by a run that must agree with another."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import EVERYTHING, LOSSES, bits, classes, features, targets

PLAIN = (fnn.Dense(8, "tanh"), fnn.Dense(6, "gelu"))


def _net(outputs=3, layers=PLAIN, **options):
    return fnn.Sequential(*layers, fnn.Dense(outputs), dtype="float64", **options)


def _assert_close(first, second, rtol=1e-9):
    np.testing.assert_allclose(
        first.parameters,
        second.parameters,
        rtol=0,
        atol=rtol * abs(second.parameters).max(),
    )


# -- weights of rows ------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_is_a_repetition(rng, name):
    """Full batches: a row of weight 3 is the row written down three times."""
    loss, outputs, kind = LOSSES[name]
    X, y = features(rng, 12), targets(rng, kind, 12, outputs)
    weight = rng.integers(0, 4, size=12)
    rows = np.repeat(np.arange(12), weight)
    weighted, repeated = _net(outputs), _net(outputs)
    options = {"loss": loss, "epochs": 5, "batch_size": 100, "shuffle": False}
    options["optimizer"] = fnn.SGD(0.1, momentum=0.9)
    first = weighted.fit(X, y, sample_weight=weight, **options)
    second = repeated.fit(X[rows], y[rows], **options)
    np.testing.assert_allclose(
        first.history["loss"], second.history["loss"], rtol=1e-12
    )
    _assert_close(weighted, repeated)


def test_rows_of_weight_zero_count_for_nothing(rng):
    X, y = classes(rng, 40)
    weight = np.r_[rng.uniform(0.5, 2, 30), np.zeros(10)]
    with_them, without, other = _net(), _net(), _net()
    options = {"epochs": 5, "batch_size": 100}
    with_them.fit(X, y, sample_weight=weight, **options)
    without.fit(X[:30], y[:30], sample_weight=weight[:30], **options)
    _assert_close(with_them, without)
    X2 = X.copy()
    X2[30:] = 1e3
    other.fit(X2, 2 - y * 0, sample_weight=weight, epochs=5, batch_size=100, l2=0.0)
    X3, y3 = X.copy(), y.copy()
    X3[30:], y3[30:] = 1e3, 0
    same = _net()
    same.fit(X3, y3, sample_weight=weight, **options)
    _assert_close(same, with_them)
    assert bits(other) != bits(with_them)


def test_only_the_ratio_of_weights_counts(rng):
    X, y = classes(rng, 40)
    weight = rng.uniform(0.5, 2, 40)
    first, second = _net(), _net()
    first.fit(X, y, sample_weight=weight, epochs=3, batch_size=16)
    second.fit(X, y, sample_weight=1024.0 * weight, epochs=3, batch_size=16)
    assert bits(first) == bits(second)


def test_a_batch_of_weight_zero_moves_nothing(rng):
    X, y = classes(rng, 40)
    weight = np.r_[np.ones(20), np.zeros(20)]
    net, half = _net(), _net()
    options = {"epochs": 1, "batch_size": 20, "shuffle": False, "optimizer": "sgd"}
    history = net.fit(X, y, sample_weight=weight, **options)
    other = half.fit(X[:20], y[:20], **options)
    assert bits(net) == bits(half)
    assert history.history["loss"] == other.history["loss"]


def test_balanced_classes(rng):
    X = features(rng, 60)
    y = np.repeat([0, 1, 2], [40, 15, 5])
    balanced, by_hand = _net(), _net()
    balanced.fit(X, y, class_weight="balanced", epochs=3, batch_size=16)
    weight = (60 / (3 * np.bincount(y)))[y]
    by_hand.fit(X, y, sample_weight=weight, epochs=3, batch_size=16)
    assert bits(balanced) == bits(by_hand)


# -- penalties and constraints --------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_l2_is_weight_decay_of_weights(rng, optimizer):
    """Without biases there is nothing that weight decay shrinks and l2 does not."""
    layers = (fnn.Dense(7, "tanh", use_bias=False), fnn.Dense(3, use_bias=False))
    X, y = classes(rng, 40)
    kinds = {"sgd": fnn.SGD, "adam": fnn.Adam, "rmsprop": fnn.RMSprop}
    nets = [fnn.Sequential(*layers, dtype="float64") for _ in range(2)]
    options = {"epochs": 5, "batch_size": 16}
    nets[0].fit(X, y, optimizer=kinds[optimizer](lr=0.01), l2=0.1, **options)
    decay = kinds[optimizer](lr=0.01, weight_decay=0.1)
    nets[1].fit(X, y, optimizer=decay, **options)
    _assert_close(*nets, rtol=1e-11)


def test_decoupled_decay_shrinks_by_the_rate_alone():
    """With no gradient: w (1 - lr decay)^steps, where coupled decay is a gradient."""
    X, y = np.zeros((4, 2)), np.zeros((4, 1))
    layer = fnn.Dense(1, use_bias=False, init=([[1.0, -2.0]], None))
    after = {}
    for rule in (
        fnn.AdamW(lr=0.1, weight_decay=0.5),
        fnn.Adam(lr=0.1, weight_decay=0.5),
    ):
        net = fnn.Sequential(layer, dtype="float64")
        net.fit(X, y, loss="mse", optimizer=rule, epochs=3)
        after[type(rule).__name__] = net.parameters.copy()
    np.testing.assert_allclose(after["AdamW"], np.array([1, -2]) * 0.95**3, rtol=1e-14)
    np.testing.assert_allclose(after["Adam"], [0.7, -1.7], rtol=0.02)


def test_max_norm_holds_after_every_step(rng):
    X, y = classes(rng, 64)
    net = _net()
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=1.0), max_norm=0.7)
    moved = 0
    for _ in range(20):
        trainer.step(X, y)
        state = net.state_dict()
        norms = np.concatenate(
            [np.linalg.norm(w, axis=1) for w in state.values() if w.ndim == 2]
        )
        assert norms.max() <= 0.7 * (1 + 1e-12)
        moved += np.isclose(norms, 0.7, rtol=1e-12).sum()
    assert moved > 20
    assert any(abs(b).max() > 0 for n, b in state.items() if n.endswith("bias"))


@pytest.mark.parametrize("clip", [{"clip_norm": 0.01}, {"clip_value": 1e-3}])
def test_clipping_bounds_the_step(rng, clip):
    X, y = classes(rng, 64)
    net = _net(layers=EVERYTHING[:-1]).build(5)
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=1.0), **clip)
    before = net.parameters.copy()
    trainer.step(10 * X, y)
    moved = net.parameters - before
    if "clip_norm" in clip:
        assert np.linalg.norm(moved) == pytest.approx(0.01, rel=1e-4)
    else:
        assert abs(moved).max() == pytest.approx(1e-3, rel=1e-9)
        assert (abs(moved) < 0.99e-3).any()


def test_clipping_a_small_gradient_changes_nothing(rng):
    X, y = classes(rng, 64)
    free, clipped = _net(), _net()
    free.fit(X, y, epochs=2)
    clipped.fit(X, y, epochs=2, clip_norm=1e6, clip_value=1e6)
    assert bits(free) == bits(clipped)


def test_a_layer_of_rate_zero_stays(rng):
    X, y = classes(rng, 64)
    layers = (fnn.Dense(8, "relu", lr_scale=0.0), fnn.Dense(6, "tanh", lr_scale=0.5))
    net = _net(layers=layers).build(5)
    before = net.state_dict()
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=0.1))
    gradients = net.loss_and_gradients(X, y, loss="cross_entropy")[1]
    trainer.step(X, y)
    after = net.state_dict()
    for name, scale in {
        "0.weight": 0,
        "0.bias": 0,
        "1.weight": 0.5,
        "2.bias": 1,
    }.items():
        moved = after[name] - before[name]
        np.testing.assert_allclose(moved, -0.1 * scale * gradients[name], atol=1e-15)


# -- normalisation --------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
def test_running_statistics(rng, momentum):
    X, y = 3 + 2 * features(rng, 50), targets(rng, "values", 50, 5)
    net = fnn.Sequential(fnn.BatchNorm(momentum=momentum), dtype="float64").build(5)
    mean, var = np.zeros(5), np.ones(5)
    options = {"loss": "mse", "epochs": 1, "batch_size": 16, "shuffle": False}
    net.fit(X, y, **options)
    for rows in (X[:16], X[16:32], X[32:48], X[48:]):  # the last one has two rows
        mean = (1 - momentum) * mean + momentum * rows.mean(axis=0)
        var = (1 - momentum) * var + momentum * rows.var(axis=0, ddof=1)
    state = net.state_dict()
    np.testing.assert_allclose(state["0.running_mean"], mean, rtol=1e-13)
    np.testing.assert_allclose(state["0.running_var"], var, rtol=1e-13)
    assert state["0.num_batches_tracked"] == 4
    assert state["0.num_batches_tracked"].dtype == np.int64


def test_a_batch_of_one_row_has_no_variance(rng):
    """It trains, but leaves the running statistics as they are."""
    X, y = features(rng, 17), targets(rng, "values", 17, 5)
    whole, first = (fnn.Sequential(fnn.BatchNorm(), dtype="float64") for _ in range(2))
    options = {"loss": "mse", "epochs": 1, "batch_size": 16, "shuffle": False}
    whole.fit(X, y, **options)
    first.fit(X[:16], y[:16], **options)
    states = whole.state_dict(), first.state_dict()
    for name in ("0.running_mean", "0.running_var", "0.num_batches_tracked"):
        np.testing.assert_array_equal(states[0][name], states[1][name])
    assert bits(whole)["0.bias"] != bits(first)["0.bias"]


def test_a_constant_column_is_no_trouble(rng):
    X, y = features(rng, 30), rng.integers(0, 3, 30)
    X[:, 2] = 7.0
    net = _net(layers=(fnn.BatchNorm(), fnn.Dense(8), fnn.BatchNorm(), fnn.ReLU()))
    history = net.fit(X, y, epochs=5, batch_size=8)
    assert np.isfinite(history.history["loss"]).all()
    assert np.isfinite(net.predict(X)).all()


# -- validation -----------------------------------------------------------------------


def test_validation_is_evaluation(rng):
    X, y = classes(rng, 60)
    val = (*classes(rng, 203), rng.uniform(size=203))
    seen = []

    def look(info):
        report = info.net.evaluate(
            val[0], val[1], sample_weight=val[2], metrics=["auc"]
        )
        seen.append((report["loss"], report["auc"]))

    net = fnn.Sequential(*EVERYTHING)
    history = net.fit(
        X, y, validation_data=val, metrics=["auc"], callbacks=[look], epochs=4
    )
    curves = history.history
    assert seen == list(zip(curves["val_loss"], curves["val_auc"], strict=True))


def test_validation_does_not_touch_training(rng):
    X, y = classes(rng, 60)
    first, second = fnn.Sequential(*EVERYTHING), fnn.Sequential(*EVERYTHING)
    first.fit(X, y, epochs=3)
    second.fit(X, y, epochs=3, validation_data=classes(rng, 90), metrics=["accuracy"])
    assert bits(first) == bits(second)


def test_the_loss_of_an_epoch_is_that_of_its_batches(rng):
    """Training mode, before each update, weighted by rows, penalties left out."""
    X, y = classes(rng, 50)
    fitted, stepped = fnn.Sequential(*EVERYTHING), fnn.Sequential(*EVERYTHING)
    history = fitted.fit(X, y, epochs=1, batch_size=16, shuffle=False, l2=1.0)
    trainer = fnn.Trainer(stepped, l2=1.0)
    rows = [slice(i, i + 16) for i in range(0, 50, 16)]
    losses = [trainer.step(X[r], y[r]) for r in rows]
    wanted = np.average(losses, weights=[16, 16, 16, 2])
    assert history.history["loss"] == [pytest.approx(wanted, rel=1e-12)]


# -- small and odd shapes -------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_small_shapes(rng, name, columns, rows):
    loss, outputs, kind = LOSSES[name]
    X, y = features(rng, rows, columns), targets(rng, kind, rows, outputs)
    net = _net(outputs)
    net.build(columns)
    gradients = net.loss_and_gradients(X, y, loss=loss)[1]
    flat = np.concatenate([g.ravel() for g in gradients.values()])
    before = net.parameters.copy()
    history = net.fit(X, y, loss=loss, optimizer=fnn.SGD(0.1), epochs=1, batch_size=99)
    np.testing.assert_allclose(net.parameters, before - 0.1 * flat, rtol=0, atol=1e-15)
    start = _net(outputs).build(columns).evaluate(X, y, loss=loss)["loss"]
    assert history.history["loss"] == [pytest.approx(start, rel=1e-13)]


def test_a_batch_larger_than_the_data_is_all_of_it(rng):
    X, y = classes(rng, 30)
    first, second = _net(), _net()
    first.fit(X, y, epochs=3, batch_size=30)
    second.fit(X, y, epochs=3, batch_size=2**40)
    assert bits(first) == bits(second)


def test_two_classes_in_both_forms(rng):
    """Two logits z0, z1 and one logit z1 - z0 are the same model."""
    X = features(rng, 40)
    y = (X[:, 0] > 0).astype(int)
    W = rng.normal(size=(2, 5))
    two = fnn.Sequential(fnn.Dense(2, init=(W, [0.0, 0.0])), dtype="float64")
    one = fnn.Sequential(fnn.Dense(1, init=(W[1:] - W[:1], [0.0])), dtype="float64")
    report = two.evaluate(X, y, loss="cross_entropy", metrics=["accuracy", "auc"])
    other = one.evaluate(X, y, loss="binary_cross_entropy", metrics=["accuracy", "auc"])
    assert report == pytest.approx(other, rel=1e-12)


def test_learning_goes_somewhere(rng):
    """All the rest could hold for a network that learns nothing."""
    X, y = classes(rng, 600)
    test = classes(rng, 600)
    for optimizer in ("adam", fnn.SGD(0.1, momentum=0.9)):
        net = fnn.Sequential(
            fnn.Dense(32), fnn.BatchNorm(), fnn.ReLU(), fnn.Dropout(0.1), fnn.Dense(3)
        )
        net.fit(X, y, optimizer=optimizer, epochs=40, batch_size=32)
        assert net.evaluate(*test, metrics=["accuracy"])["accuracy"] > 0.8


@pytest.mark.parametrize(("units", "width"), [(2**31, 2**31), (2**33, 2**31)])
def test_more_weights_than_addresses_are_an_error(units, width):
    """The number of weights or of their bytes is beyond 64 bits: it must not wrap."""
    with pytest.raises(MemoryError):
        fnn.Sequential(fnn.Dense(units)).build(width)
