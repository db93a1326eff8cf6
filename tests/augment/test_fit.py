"""Augmentation inside a fit: what it sees, what it leaves alone, the same bits."""

import itertools

import numpy as np
import pytest
import scipy.sparse

import fastnn as fnn
from engine.problems import LOSSES, bits, curves, targets
from fastnn import augment as a
from fastnn._native import core
from fastnn.augment._checks import as_augments, with_shape

HEIGHT, WIDTH = 6, 4
FEATURES = HEIGHT * WIDTH

MANY = [
    a.Flip(),
    a.Shift(1, fill=0.1),
    a.Rotate(30),
    a.Noise(0.1),
    a.Mixup(0.5),
    a.Crop(),
    a.Cutout(2),
    a.Brightness(0.2),
    a.Contrast(0.2),
]

NET = (
    fnn.Dense(24),
    fnn.BatchNorm(),
    fnn.ReLU(),
    fnn.Dropout(0.3),
    fnn.Dense(3),
)


@pytest.fixture
def pictures(rng):
    X = rng.normal(size=(203, HEIGHT, WIDTH)).astype("float32")
    return X, rng.integers(0, 3, size=203)


def _fitted(X, y, augment, *, net=NET, dtype="float32", n_threads=None, **options):
    net = fnn.Sequential(*net, seed=5, dtype=dtype)
    options = {"epochs": 3, "batch_size": 101, **options}
    history = net.fit(X, y, augment=augment, n_threads=n_threads, **options)
    return net, history


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [8, 101, 500])
def test_same_bits_for_any_number_of_threads(rng, pictures, batch_size, dtype):
    weight = rng.uniform(size=len(pictures[0]))
    options = {
        "batch_size": batch_size,
        "sample_weight": weight,
        "clip_norm": 0.5,
        "metrics": ["accuracy"],
        "dtype": dtype,
    }
    first, *others = (
        (bits(net), curves(history))
        for net, history in (
            _fitted(*pictures, MANY, n_threads=n, **options) for n in (1, 2, 3, 8)
        )
    )
    assert all(other == first for other in others)
    plain = _fitted(*pictures, None, n_threads=1, **options)
    assert bits(plain[0]) != first[0]


@pytest.mark.parametrize("augment", MANY, ids=str)
def test_each_one_alone(pictures, augment):
    one, two = (_fitted(*pictures, [augment], n_threads=n)[0] for n in (1, 3))
    assert bits(one) == bits(two)


def _first_loss(X, y, augment, **options):
    """The loss of the first batch, of all rows, by a fit that leaves the weights."""
    net = fnn.Sequential(fnn.Dense(3), seed=9, dtype="float64").build(FEATURES)
    before = bits(net)
    history = net.fit(
        X,
        y,
        augment=augment,
        optimizer=fnn.SGD(lr=0.0),
        epochs=1,
        batch_size=len(X),
        shuffle=False,
        **options,
    )
    assert bits(net) == before
    return net, history.history["loss"][0]


@pytest.mark.parametrize("augment", [MANY[:4] + MANY[5:], MANY], ids=["plain", "mixup"])
def test_a_step_sees_what_preview_shows(pictures, augment):
    X, y = pictures[0].astype(float), pictures[1]
    net, loss = _first_loss(X, y, augment)
    seen, target = a.preview(X, augment, y=y, seed=net.seed)
    wanted = net.evaluate(seen, target)["loss"]
    assert loss == pytest.approx(wanted, rel=1e-12)
    assert loss != pytest.approx(net.evaluate(X, y)["loss"], rel=1e-3)


# -- the own loop ---------------------------------------------------------------------


def _steps(pictures, augments, *, n_threads=None, rows=48, layers=NET):
    """Losses of steps over batches, each with an augmentation of its own, and bits."""
    X, y = pictures
    net = fnn.Sequential(*layers, seed=5)
    trainer = fnn.Trainer(net, n_threads=n_threads)
    losses = [
        trainer.step(X[i : i + rows], y[i : i + rows], augment=augment)
        for i, augment in zip(itertools.count(0, rows), augments, strict=False)
    ]
    return losses, bits(net)


def test_steps_for_any_number_of_threads(pictures):
    augments = [MANY, None, MANY, MANY[:5]]
    first, *others = (_steps(pictures, augments, n_threads=n) for n in (1, 2, 3, 8))
    assert all(other == first for other in others)
    assert _steps(pictures, [None] * 4) != first


def test_the_first_step_is_that_of_a_fit(pictures):
    rows = len(pictures[0])
    net, history = _fitted(*pictures, MANY, epochs=1, batch_size=rows, shuffle=False)
    losses, state = _steps(pictures, [MANY], rows=rows)
    assert losses == history.history["loss"]
    assert state == bits(net)


def test_each_step_sees_what_preview_shows(pictures):
    """By its number; with what its call says, not the one before."""
    X, y = pictures[0].astype(float)[:48], pictures[1][:48]
    net = fnn.Sequential(fnn.Dense(3), seed=9, dtype="float64").build(FEATURES)
    trainer = fnn.Trainer(net, optimizer=fnn.SGD(lr=0.0))
    plain = net.evaluate(X, y, loss="cross_entropy")["loss"]
    losses = []
    for number, augment in enumerate([MANY, MANY, a.Noise(0.5), (), a.Noise(1.0)]):
        losses.append(trainer.step(X, y, augment=augment))
        seen, target = _seen(X, y, augment, net.seed, number)
        assert losses[-1] == pytest.approx(net.evaluate(seen, target)["loss"])
    assert losses[3] == pytest.approx(plain)
    assert len(set(losses)) == 5


def _seen(X, y, augment, seed, step):
    """Return rows and targets as a step of this number sees them."""
    augments = [
        one.to_native() for one in with_shape(as_augments(augment), X.shape[1:])
    ]
    flat, labels = X.reshape(len(X), -1), y.astype(np.int32)
    return core.augmented_rows(flat, labels, 3, augments, seed, step)


@pytest.mark.parametrize(
    ("augment", "options", "error", "words"),
    [
        ("flip", {}, TypeError, ["augment must be a list", "'flip'"]),
        (a.Rotate(5, shape=(4, 6)), {}, ValueError, ["augment[0]", "(4, 6)", "(6, 4)"]),
        (a.Noise(0.1), {"optimizer": "lbfgs"}, ValueError, ["augment", "LBFGS"]),
        ([a.Mixup(), a.Mixup()], {}, ValueError, ["augment[1]", "second Mixup"]),
    ],
)
def test_mistakes_in_a_step(pictures, augment, options, error, words):
    net = fnn.Sequential(fnn.Dense(3)).build(FEATURES)
    before = bits(net)
    trainer = fnn.Trainer(net, **options)
    with pytest.raises(error) as caught:
        trainer.step(*pictures, augment=augment)
    assert all(word in str(caught.value) for word in words)
    assert bits(net) == before


# -- mixtures -------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_mixture_of_labels_is_the_mixture_of_losses(pictures, smoothing):
    """share l(y_i) + (1 - share) l(y_j), weighed by share w_i + (1 - share) w_j."""
    X, y = pictures[0].astype(float), pictures[1]
    n = len(X)
    weight = np.linspace(0, 2, n)
    loss = fnn.CrossEntropy(smoothing)
    net, found = _first_loss(X, y, a.Mixup(1.0), loss=loss, sample_weight=weight)
    seen, mixed = a.preview(X, a.Mixup(1.0), y=np.eye(n), seed=net.seed)
    total = 0.0
    for row, shares in zip(seen, mixed, strict=True):
        w = shares @ weight
        total += w * sum(
            shares[k] * net.evaluate(row[None], y[k : k + 1])["loss"]
            for k in np.flatnonzero(shares)
        )
    assert found == pytest.approx(total / (mixed @ weight).sum(), rel=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_mixup_with_every_loss(rng, pictures, name):
    """The loss of the mixed targets, and its gradient, by which a step moves."""
    loss, outputs, kind = LOSSES[name]
    X, y = pictures[0].astype(float), targets(rng, kind, len(pictures[0]), outputs)
    net = fnn.Sequential(fnn.Dense(outputs), seed=9, dtype="float64").build(FEATURES)
    seen, mixed = a.preview(X, a.Mixup(1.0), y=y, seed=net.seed)
    if name.startswith("gaussian") or kind != "classes":
        assert mixed.shape == y.shape
    value, gradients = net.loss_and_gradients(seen, mixed, loss=loss)
    start = net.state_dict()
    history = net.fit(
        X,
        y,
        loss=loss,
        augment=a.Mixup(1.0),
        optimizer=fnn.SGD(lr=0.5),
        epochs=1,
        batch_size=len(X),
        shuffle=False,
    )
    assert history.history["loss"][0] == pytest.approx(value, rel=1e-9)
    for key, gradient in gradients.items():
        np.testing.assert_allclose(
            net.state_dict()[key], start[key] - 0.5 * gradient, rtol=1e-9, atol=1e-9
        )


def test_labels_and_rows_stay_together(rng):
    """Shuffled and mixed: a network that knows y = W x errs on no mixture either."""
    X, W = rng.normal(size=(240, 6)), rng.normal(size=(2, 6))
    options = {"optimizer": fnn.SGD(lr=0.0), "epochs": 3, "batch_size": 32}
    net = fnn.Sequential(fnn.Dense(2, init=(W, np.zeros(2))), dtype="float64")
    history = net.fit(X, X @ W.T, loss="mse", augment=a.Mixup(1.0), **options)
    assert max(history.history["loss"]) < 1e-25
    # and labels: rows that say theirs, from left to right
    y = rng.integers(0, 3, size=240)
    rows = np.eye(3)[y] + 0.1 * rng.normal(size=(240, 3))
    net = fnn.Sequential(fnn.Dense(3, init=(50 * np.eye(3), np.zeros(3))))
    history = net.fit(rows, y, augment=a.Noise(0.01), **options)
    assert max(history.history["loss"]) < 0.01


def test_the_users_arrays_stay(pictures):
    X, y = (array.copy() for array in pictures)
    X.setflags(write=False)
    _fitted(X, y, MANY)
    np.testing.assert_array_equal(X, pictures[0])
    np.testing.assert_array_equal(y, pictures[1])
    before = X.copy()
    a.preview(X, MANY, y=y)
    np.testing.assert_array_equal(X, before)


def test_validation_sees_rows_as_they_are(pictures):
    X, y = pictures
    net, history = _fitted(X, y, MANY, validation_data=(X, y), metrics=["accuracy"])
    report = net.evaluate(X, y, metrics=["accuracy"])
    assert history.history["val_loss"][-1] == pytest.approx(report["loss"], rel=1e-6)
    assert history.history["val_accuracy"][-1] == report["accuracy"]


def test_rows_flat_or_not(pictures):
    """The same bits for pictures and for rows whose shape is said."""
    X, y = pictures
    flat = X.reshape(len(X), -1)
    moved = [a.Shift(1), a.Cutout(2)]
    said = [a.Shift(1, shape=(HEIGHT, WIDTH)), a.Cutout(2, shape=(HEIGHT, WIDTH, 1))]
    nets = [
        _fitted(X, y, moved)[0],
        _fitted(X, y, said)[0],
        _fitted(flat, y, said)[0],
        _fitted(X[..., None], y, moved)[0],
        _fitted(np.asfortranarray(X), y, moved)[0],
        _fitted(X.tolist(), y, moved)[0],
    ]
    assert all(bits(net) == bits(nets[0]) for net in nets[1:])


def test_pictures_everywhere(pictures):
    X, y = pictures
    flat = X.reshape(len(X), -1)
    net, _ = _fitted(X, y, None)
    assert bits(net) == bits(_fitted(flat, y, None)[0])
    np.testing.assert_array_equal(net.predict(X), net.predict(flat))
    np.testing.assert_array_equal(net.predict_proba(X), net.predict_proba(flat))
    np.testing.assert_array_equal(net.hidden(X, 0), net.hidden(flat, 0))
    assert net.evaluate(X, y) == net.evaluate(flat, y)
    assert net.loss_and_gradients(X, y)[0] == net.loss_and_gradients(flat, y)[0]
    trainer = fnn.Trainer(net.copy())
    assert trainer.step(X, y) == fnn.Trainer(net.copy()).step(flat, y)


@pytest.mark.parametrize("first", [fnn.Dense(8), fnn.BatchNorm()], ids=str)
def test_sparse_rows_are_written_out(rng, first):
    dense = rng.normal(size=(150, FEATURES)) * (rng.uniform(size=(150, FEATURES)) < 0.2)
    y = rng.integers(0, 3, size=150)
    shaped = [a.Flip(shape=(HEIGHT, WIDTH)), a.Noise(0.1), a.Mixup()]
    layers = (first, fnn.Dense(3))
    for augment, n_threads in itertools.product((shaped, [a.Mixup(1.0)]), (1, 3)):
        nets = [
            _fitted(X, y, augment, net=layers, n_threads=n_threads)[0]
            for X in (dense, scipy.sparse.csr_array(dense))
        ]
        assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize("rule", [None, fnn.EMA(0.9), fnn.SWA(1)], ids=str)
def test_resumed(pictures, tmp_path, rule):
    X, y = pictures
    options = {"batch_size": 40, "callbacks": [] if rule is None else [rule]}
    path = tmp_path / "run.fnn"
    whole, history = _fitted(X, y, MANY, epochs=4, **options)
    net = fnn.Sequential(*NET, seed=5)
    stop = {"at": 1}

    def crash(info):
        if info.epoch == stop["at"]:
            raise KeyboardInterrupt

    arguments = {"augment": MANY, "epochs": 4, "checkpoint": path}
    with pytest.raises(KeyboardInterrupt):
        fnn.Trainer(net).fit(
            X, y, **arguments, batch_size=40, callbacks=[*options["callbacks"], crash]
        )
    trainer = fnn.Trainer.resume(path)
    found = trainer.fit(X, y, augment=MANY, epochs=4, **options)
    assert bits(trainer.net) == bits(whole)
    assert curves(found) == curves(history)


def test_a_resumed_fit_must_augment_likewise(pictures, tmp_path):
    X, y = pictures
    path = tmp_path / "run.fnn"
    trainer = fnn.Trainer(fnn.Sequential(*NET))
    trainer.fit(X, y, epochs=1, augment=MANY, checkpoint=path)
    for other in (None, MANY[:-1], [*MANY[:-1], a.Contrast(0.3)]):
        with pytest.raises(ValueError, match="augment: the fit to complete"):
            fnn.Trainer.resume(path).fit(X, y, epochs=2, augment=other)
    # flat rows and their shape are the same thing said otherwise
    flat = X.reshape(len(X), -1)
    with_shape = [
        type(m)(**{**vars(m), "shape": (HEIGHT, WIDTH)}) if hasattr(m, "shape") else m
        for m in MANY
    ]
    fnn.Trainer.resume(path).fit(flat, y, epochs=2, augment=with_shape)


def test_swa_renews_statistics_from_rows_as_they_are(pictures):
    X, y = pictures
    first = (fnn.BatchNorm(), fnn.Dense(3))
    net, _ = _fitted(
        X, y, a.Brightness(50.0), net=first, callbacks=[fnn.SWA(1)], batch_size=203
    )
    mean = net.state_dict()["0.running_mean"]
    np.testing.assert_allclose(mean, X.reshape(203, -1).mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_steps_allocate_nothing(rng, n_threads):
    def allocations(rows, epochs):
        X = rng.normal(size=(rows, HEIGHT, WIDTH)).astype("float32")
        trainer = fnn.Trainer(fnn.Sequential(*NET).build(FEATURES), n_threads=n_threads)
        y = np.arange(rows) % 3
        before = core.allocation_count()
        trainer.fit(X, y, epochs=epochs, batch_size=16, augment=MANY)
        return core.allocation_count() - before

    allocations(35, 2)
    few, many = ((allocations(n, 5) - allocations(n, 2)) / 3 for n in (35, 350))
    assert few == many


def test_a_label_that_breaks_meanwhile_is_seen(pictures):
    """Another hand may write to y while a fit runs: a divergence, never a crash."""
    X, y = pictures[0], np.ascontiguousarray(pictures[1], np.int32)

    def spoil(_):
        y[:] = 2**30

    with pytest.raises(fnn.DivergedError):
        _fitted(X, y, a.Mixup(), callbacks=[spoil])


def test_augmentation_helps(rng):
    """Shifted copies of few patterns, tested on shifts that were not shown."""
    patterns = rng.normal(size=(4, 5, 5))
    where = [(i, j) for i in range(4) for j in range(4)]

    def shifted(k, i, j):
        picture = np.zeros((8, 8), "float32")
        picture[i : i + 5, j : j + 5] = patterns[k]
        return picture

    X = np.array([shifted(k, 1, 1) for k in range(4)] * 8)
    y = np.array(list(range(4)) * 8)
    X_test = np.array([shifted(k, i, j) for i, j in where for k in range(4)])
    y_test = np.tile(np.arange(4), len(where))
    scores = {}
    for name, augment in (("plain", None), ("moved", a.Shift(2))):
        net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(4), seed=0)
        net.fit(X, y, augment=augment, epochs=60, batch_size=16)
        report = net.evaluate(X_test, y_test, metrics=["accuracy"])
        scores[name] = report["accuracy"]
    assert scores["moved"] > scores["plain"] + 0.2
