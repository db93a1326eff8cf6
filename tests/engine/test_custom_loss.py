"""Losses written in Python: the runs of their compiled twins, and every way to fail."""

import functools
import pickle
import signal
import threading

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import EVERYTHING, bits, curves, features, targets
from fastnn.losses import CustomLoss


def squared(outputs, y):
    """Mean squared error."""
    d = outputs - y.reshape(outputs.shape)
    return (d * d).mean(axis=1), 2 * d / d.shape[1]


def entropy(outputs, y):
    """Cross-entropy with labels."""
    e = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    losses = -np.log(p[rows, y])
    p[rows, y] -= 1
    return losses, p


def logistic(outputs, y):
    """Binary cross-entropy, in place and with strides."""
    losses = np.logaddexp(0, outputs) - y * outputs
    outputs[...] = 1 / (1 + np.exp(-outputs)) - y
    outputs /= outputs.shape[1]
    return losses.mean(axis=1)[::-1][::-1], np.asfortranarray(outputs)


def poisson(outputs, y):
    """Poisson's likelihood, summed over outputs, in lists."""
    rate = np.exp(outputs)
    return (rate - y * outputs).sum(axis=1).tolist(), (rate - y).tolist()


# function, its compiled twin, the kind of y, outputs
TWINS = {
    "squared": (squared, fnn.MSE(), "values", 3),
    "squared, one output": (squared, fnn.MSE(), "values", 1),
    "entropy": (entropy, fnn.CrossEntropy(), "classes", 3),
    "logistic": (logistic, fnn.BinaryCrossEntropy(), "labels", 3),
    "poisson": (poisson, fnn.PoissonNLL(sum_outputs=True), "counts", 3),
}
TABLE = pytest.mark.parametrize("name", TWINS)
WITHOUT_NORM = [layer for layer in EVERYTHING if not isinstance(layer, fnn.BatchNorm)]


def _problem(name, rng, rows=150):
    function, twin, kind, outputs = TWINS[name]
    layers = [*EVERYTHING[:-1], fnn.Dense(outputs)]
    weight = rng.uniform(0.1, 2.0, size=rows) * (rng.random(rows) < 0.9)
    return (
        function,
        twin,
        layers,
        features(rng, rows),
        targets(rng, kind, rows, outputs),
        weight,
    )


def _net(layers, dtype="float64", seed=3):
    return fnn.Sequential(*layers, seed=seed, dtype=dtype)


def _assert_close(net, twin, rtol):
    state = twin.state_dict()
    for key, array in net.state_dict().items():
        scale = max(np.abs(state[key]).max(), 1.0)
        np.testing.assert_allclose(array, state[key], rtol=0, atol=rtol * scale)


# -- the same runs --------------------------------------------------------------------


@TABLE
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 3e-4)])
def test_a_fit_is_that_of_the_compiled_twin(name, weighted, dtype, rtol, rng):
    """Short batches, dropout, batch normalisation, validation, early stopping."""
    function, twin, layers, X, y, weight = _problem(name, rng)
    options = {
        "optimizer": fnn.SGD(0.02, momentum=0.9),
        "epochs": 8,
        "batch_size": 32,
        "sample_weight": weight if weighted else None,
        "validation_data": (X[:40], y[:40], weight[:40]),
        "early_stopping": fnn.EarlyStopping(patience=3),
    }
    net, other = _net(layers, dtype), _net(layers, dtype)
    history = net.fit(X, y, loss=function, **options)
    wanted = other.fit(X, y, loss=twin, **options)
    assert len(history.history["loss"]) == len(wanted.history["loss"])
    for key in ("loss", "val_loss"):
        np.testing.assert_allclose(history.history[key], wanted.history[key], rtol=rtol)
    assert history.best_epoch == wanted.best_epoch
    _assert_close(net, other, rtol)


@TABLE
@pytest.mark.parametrize("training", [False, True])
def test_single_calls_are_those_of_the_compiled_twin(name, training, rng):
    function, twin, layers, X, y, weight = _problem(name, rng)
    net = _net(layers).build(X.shape[1])
    before = bits(net)
    options = {"sample_weight": weight, "training": training, "l2": 0.1}
    value, gradients = net.loss_and_gradients(X, y, loss=function, **options)
    wanted, slopes = net.loss_and_gradients(X, y, loss=twin, **options)
    assert value == pytest.approx(wanted, rel=1e-12)
    for key, slope in slopes.items():
        np.testing.assert_allclose(gradients[key], slope, rtol=1e-9, atol=1e-13)
    report = net.evaluate(X, y, loss=function, sample_weight=weight)
    assert report == pytest.approx(net.evaluate(X, y, loss=twin, sample_weight=weight))
    assert bits(net) == before

    other = net.copy()
    trainer, second = fnn.Trainer(net, loss=function), fnn.Trainer(other, loss=twin)
    for _ in range(4):
        loss = trainer.step(X, y, weight)
        assert loss == pytest.approx(second.step(X, y, weight), rel=1e-10)
    assert net.evaluate(X, y) == pytest.approx(other.evaluate(X, y), rel=1e-5)


@TABLE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_any_number_of_threads(name, dtype, rng):
    function, _, layers, X, y, weight = _problem(name, rng, rows=700)
    runs = []
    for n_threads in (1, 2, 3):
        net = _net(layers, dtype)
        history = net.fit(
            X,
            y,
            loss=function,
            batch_size=300,
            epochs=2,
            sample_weight=weight,
            validation_data=(X, y),
            n_threads=n_threads,
        )
        loss, gradients = net.loss_and_gradients(X, y, n_threads=n_threads)
        runs.append((bits(net), curves(history), loss, gradients["0.weight"].tobytes()))
    assert runs[0] == runs[1] == runs[2]


def test_options_meet_custom_losses(rng):
    """Clipping, penalties, a schedule, max_norm: all of a step but the loss."""
    function, twin, _, X, y, _ = _problem("entropy", rng)
    options = {
        "optimizer": fnn.SGD(0.3),
        "schedule": fnn.Exponential(0.9),
        "clip_norm": 0.5,
        "l1": 0.001,
        "l2": 0.01,
        "max_norm": 1.0,
        "epochs": 5,
        "batch_size": 40,
        "validation_split": 0.2,
    }
    net, other = _net(WITHOUT_NORM), _net(WITHOUT_NORM)
    history = net.fit(X, y, loss=CustomLoss(function, targets="classes"), **options)
    wanted = other.fit(X, y, loss=twin, **options)
    for key in ("loss", "val_loss", "lr"):
        np.testing.assert_allclose(
            history.history[key], wanted.history[key], rtol=1e-10
        )
    _assert_close(net, other, 1e-10)


# -- what y holds ---------------------------------------------------------------------


class Recorder:
    """A loss that keeps what it gets. X must be the row numbers, the net Identity."""

    def __init__(self):
        self.calls = []
        self.threads = set()

    def __call__(self, outputs, y):
        self.calls.append((outputs, y))
        self.threads.add(threading.current_thread())
        return np.zeros(len(outputs)), np.zeros_like(outputs)


RECORDS = {
    "structured": np.array([(1.5, True)] * 20, [("time", "f8"), ("event", "?")]),
    "text": np.array(["yes", "no"] * 10),
    "dates": np.arange(20).astype("datetime64[D]"),
    "int8, three axes": np.arange(160, dtype=np.int8).reshape(20, 2, 4),
    "NaN": np.where(np.arange(20) % 3, 1.0, np.nan),
    "complex": np.arange(20) * 1j,
    "big-endian": np.arange(20, dtype=">i4"),
    "reversed": np.arange(40.0)[::-2],
}


@pytest.mark.parametrize("kind", RECORDS)
def test_the_function_gets_the_rows_of_y_as_they_are(kind):
    y = RECORDS[kind]
    X = np.arange(20.0)[:, None]
    net, seen = fnn.Sequential(fnn.Dense(1, init=([[1.0]], [0.0]))), Recorder()
    net.fit(X, y, loss=seen, batch_size=8, epochs=2, validation_data=(X[5:], y[5:]))
    sizes = [len(outputs) for outputs, _ in seen.calls]
    assert sizes == [8, 8, 4, 15] * 2
    for outputs, rows in seen.calls:
        assert outputs.dtype == np.float32
        assert rows.dtype == y.dtype
        at = outputs[:, 0].astype(int)
        np.testing.assert_array_equal(rows, y[at])
        assert not np.shares_memory(rows, y)
    assert sorted(seen.calls[0][0][:, 0]) != list(range(8))  # shuffled
    assert seen.threads == {threading.current_thread()}
    # what it kept is its own
    first = seen.calls[0][0].copy()
    net.parameters[:] = 0.0
    net.evaluate(X, y)
    np.testing.assert_array_equal(seen.calls[0][0], first)


def test_what_the_function_does_to_its_arguments_stays_with_it(rng):
    def greedy(outputs, y):
        losses, gradient = squared(outputs, y)
        outputs[...] = np.nan
        y[...] = -1
        return losses, gradient

    X, y = features(rng, 50), rng.normal(size=(50, 2))
    given = y.copy()
    net, other = (_net([fnn.Dense(2)]) for _ in range(2))
    history = net.fit(X, y, loss=greedy, batch_size=7, epochs=3)
    net.evaluate(X, y)
    np.testing.assert_array_equal(y, given)
    wanted = other.fit(X, y, loss=squared, batch_size=7, epochs=3)
    assert curves(history) == curves(wanted)


def test_labels_bring_metrics_weights_and_probabilities(rng):
    X, y = features(rng, 90), rng.choice(3, size=90, p=[0.6, 0.3, 0.1])
    loss = CustomLoss(entropy, targets="classes")
    options = {
        "metrics": ["accuracy", "auc"],
        "class_weight": "balanced",
        "validation_split": 0.3,
        "epochs": 3,
    }
    net, other = _net(WITHOUT_NORM), _net(WITHOUT_NORM)
    history = net.fit(X, y, loss=loss, **options)
    wanted = other.fit(X, y, loss="cross_entropy", **options)
    for key in set(wanted.history) - {"seconds"}:
        np.testing.assert_allclose(history.history[key], wanted.history[key], rtol=1e-9)
    np.testing.assert_allclose(net.predict_proba(X), other.predict_proba(X), rtol=1e-8)

    loss = CustomLoss(logistic, targets="labels")
    history = net.fit(X, np.eye(3)[y], loss=loss, metrics=["auc"], epochs=1)
    assert 0 < history.history["auc"][0] < 1
    np.testing.assert_allclose(
        net.predict_proba(X), 1 / (1 + np.exp(-net.predict(X))), rtol=1e-10
    )
    loss = CustomLoss(squared, targets="values")
    assert net.evaluate(X, net.predict(X), loss=loss, metrics=["r2"])["r2"] == 1.0


# -- errors ---------------------------------------------------------------------------


class BrokenError(Exception):
    """What a test's loss raises."""


@pytest.mark.parametrize("error", [BrokenError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_exception_leaves_the_last_finished_step(error, n_threads, rng):
    calls = []

    def failing(outputs, y):
        calls.append(1)
        if len(calls) == 8:
            raise error("at the eighth batch")
        return squared(outputs, y)

    X, y = features(rng, 100), rng.normal(size=(100, 3))
    net, other = _net(EVERYTHING), _net(EVERYTHING)
    options = {"batch_size": 20, "shuffle": False, "n_threads": n_threads}
    with pytest.raises(error, match="at the eighth batch"):
        net.fit(X, y, loss=failing, epochs=9, **{**options, "callbacks": [print_no]})
    trainer = fnn.Trainer(other, loss=squared)
    for step in range(7):
        rows = slice(20 * (step % 5), 20 * (step % 5) + 20)
        trainer.step(X[rows], y[rows])
    assert bits(net) == bits(other)
    assert net._native.progress == (1, 7)
    net.fit(X, y, loss="mse", epochs=1)  # and the network is of use


def print_no(info):
    """Be a callback."""


def test_an_exception_in_a_step_changes_nothing(rng):
    X, y = features(rng, 30), rng.normal(size=(30, 3))
    net = _net(EVERYTHING).build(X.shape[1])
    fail = []

    def failing(outputs, y):
        if fail:
            raise BrokenError
        return squared(outputs, y)

    trainer = fnn.Trainer(net, loss=failing)
    trainer.step(X, y)
    before = bits(net)
    fail.append(True)
    for call in (trainer.step, net.evaluate, net.loss_and_gradients):
        with pytest.raises(BrokenError):
            call(X, y)
        assert bits(net) == before
    fail.clear()
    trainer.step(X, y)
    assert bits(net) != before


def _ones(outputs):
    return np.ones(len(outputs))


ANSWERS = {
    "nothing": (lambda *_: None, TypeError, "tuple .*, got NoneType"),
    "an array": (lambda o, _: o, TypeError, r"tuple .*, got ndarray of shape \(9, 2\)"),
    "three": (lambda *_: (1, 2, 3), TypeError, "got tuple of 3"),
    "a mean": (
        lambda o, _: (1.0, o),
        ValueError,
        r"losses of shape \(9,\), one for each row, got shape \(\)",
    ),
    "a column": (lambda o, _: (o[:, :1], o), ValueError, r"got shape \(9, 1\)"),
    "short": (lambda o, _: (_ones(o)[1:], o), ValueError, r"got shape \(8,\)"),
    "gradient of rows": (
        lambda o, _: (_ones(o), _ones(o)),
        ValueError,
        r"a gradient of shape \(9, 2\), one number for each output, got shape \(9,\)",
    ),
    "transposed": (lambda o, _: (_ones(o), o.T), ValueError, r"got shape \(2, 9\)"),
    "text": (
        lambda o, _: (["a"] * len(o), o),
        TypeError,
        "losses of real numbers, got list of 9 of dtype <U1",
    ),
    "complex": (lambda o, _: (_ones(o), o * 1j), TypeError, "of dtype complex"),
    "ragged": (lambda o, _: (_ones(o), [[1], [1, 2]]), TypeError, "no array"),
    "NaN": (
        lambda o, _: (np.where(np.arange(9) == 4, np.nan, 1), o),
        ValueError,
        r"losses with nan in row 4 of the batch, for outputs of up to \d",
    ),
    "NaN gradient": (lambda o, _: (_ones(o), o * np.nan), ValueError, "nan in row 0"),
    "infinite gradient": (
        lambda o, _: (_ones(o), o + np.inf),
        ValueError,
        "a gradient with inf",
    ),
    "beyond float32": (
        lambda o, _: (_ones(o), np.full(o.shape, 1e300)),
        ValueError,
        "a gradient with inf",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_that_do_not_fit(name, rng):
    answer, error, message = ANSWERS[name]
    X, y = features(rng, 9), np.zeros(9)
    net = _net([fnn.Dense(2)], "float32").build(X.shape[1])
    before = bits(net)
    with pytest.raises(error, match=message) as caught:
        net.fit(X, y, loss=answer)
    assert "loss '<lambda>'" in str(caught.value)
    with pytest.raises(error):
        net.evaluate(X, y, loss=answer)
    assert bits(net) == before


def test_outputs_that_are_not_finite_are_a_divergence(rng):
    """The function is not asked what it makes of them."""

    def strict(outputs, y):
        assert np.isfinite(outputs).all()
        return squared(outputs, y)

    X, y = features(rng, 64), rng.normal(size=(64, 2))
    net = fnn.Sequential(fnn.Dense(8), fnn.Dense(2))
    with pytest.raises(fnn.DivergedError, match="the loss became nan"):
        net.fit(X, y, loss=strict, optimizer=fnn.SGD(1e12), batch_size=4)
    assert all(np.isfinite(a).all() for a in net.state_dict().values())
    net.parameters[:] = np.inf
    assert np.isnan(net.evaluate(X, y, loss=strict)["loss"])
    loss, gradients = net.loss_and_gradients(X, y, loss=strict)
    assert np.isnan(loss)
    assert all(np.isnan(g).all() for g in gradients.values())


def test_an_infinite_loss_is_a_divergence(rng):
    def explosive(outputs, _):
        with np.errstate(over="ignore"):
            e = np.exp(outputs)
        return e.mean(axis=1), e / e.shape[1]

    X = features(rng, 16)
    net = fnn.Sequential(fnn.Dense(2)).build(X.shape[1])
    net.parameters[:] = 500.0
    with pytest.raises(fnn.DivergedError, match="the loss became inf"):
        net.fit(X, X, loss=explosive)


def test_a_loss_may_be_large_or_negative(rng):
    """What is much, only its author knows: no scale of ours stops the fit."""

    def tilted(outputs, _):
        return -1e9 * np.ones(len(outputs)) + outputs[:, 0], np.ones_like(outputs)

    X = features(rng, 16)
    net = fnn.Sequential(fnn.Dense(1))
    history = net.fit(X, X, loss=tilted, optimizer=fnn.SGD(1e5), epochs=4)
    assert history.history["loss"][-1] < -1e9


def test_the_network_is_busy_meanwhile(rng):
    X = features(rng, 9)
    net = fnn.Sequential(fnn.Dense(2))
    other = fnn.Sequential(fnn.Dense(2))

    def curious(outputs, y):
        net.predict(X)
        return squared(outputs, y)

    def nested(outputs, y):
        other.fit(X, X[:, :2], loss="mse", epochs=1)
        other.predict(X)
        return squared(outputs, y)

    with pytest.raises(RuntimeError, match="the network is being trained"):
        net.fit(X, X[:, :2], loss=curious)
    net.fit(X, X[:, :2], loss=nested, epochs=2)
    net.evaluate(X, X[:, :2], loss=curious)  # a reader among readers


def test_ctrl_c_within_the_function(rng):
    def interrupted(outputs, y):
        signal.raise_signal(signal.SIGINT)
        return squared(outputs, y)

    X = features(rng, 9)
    net = fnn.Sequential(fnn.Dense(2)).build(X.shape[1])
    before = bits(net)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, X[:, :2], loss=interrupted)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert bits(net) == before


def test_fits_in_many_threads(rng):
    """None waits for the GIL of another, and each gets its own rows."""
    X, y = features(rng, 300), rng.normal(size=(300, 3))
    nets = [_net(WITHOUT_NORM) for _ in range(4)]

    def fit(net):
        net.fit(X, y, loss=squared, epochs=3, batch_size=100, n_threads=2)

    threads = [threading.Thread(target=fit, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    alone = _net(WITHOUT_NORM)
    fit(alone)
    assert all(bits(net) == bits(alone) for net in nets)


# -- arguments ------------------------------------------------------------------------

ONE = np.ones((4, 1))
ERRORS = {
    "rows": ({"y": [1.0]}, ValueError, "y has 1 rows"),
    "no array": ({"y": [[1], [1, 2], [1], [1]]}, ValueError, "the same length"),
    "objects": ({"y": np.array([None] * 4)}, TypeError, "y must be an array .* object"),
    "masked": ({"y": np.ma.ones(4)}, TypeError, "masked"),
    "a class": ({"loss": Recorder}, TypeError, "loss is the class Recorder; write"),
    "a number": ({"loss": 3}, TypeError, r"loss must be a name, .*got int 3"),
    "metrics": ({"metrics": ["mae"]}, ValueError, "CustomLoss.*targets='values'"),
    "class_weight": ({"class_weight": [1, 2]}, ValueError, "targets='classes'"),
    "labels beyond": (
        {"loss": CustomLoss(entropy, targets="classes"), "y": [0, 1, 2, 1]},
        ValueError,
        "y holds label 2",
    ),
    "yes, no": (
        {"loss": CustomLoss(squared, targets="labels"), "y": [[0, 2]] * 4},
        ValueError,
        r"y must be in \[0, 1\]",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_arguments_that_do_not_fit(name):
    changes, error, message = ERRORS[name]
    net = fnn.Sequential(fnn.Dense(2))
    arguments = {"y": np.zeros((4, 2)), "loss": squared, **changes}
    with pytest.raises(error, match=message):
        net.fit(ONE, arguments.pop("y"), **arguments)


def test_what_is_no_loss():
    for function in (None, 3, "mse", Recorder):
        with pytest.raises(TypeError, match="CustomLoss: function must be callable"):
            CustomLoss(function)
    with pytest.raises(ValueError, match="CustomLoss: targets must be 'any' or"):
        CustomLoss(squared, targets="class")


def test_probabilities_of_what():
    net = fnn.Sequential(fnn.Dense(2))
    net.fit(ONE, np.zeros((4, 2)), loss=squared)
    with pytest.raises(ValueError, match=r"predict_proba: .*targets='classes'"):
        net.predict_proba(ONE)
    net.fit(ONE, np.zeros((4, 2)), loss=CustomLoss(squared, targets="values"))
    with pytest.raises(ValueError, match=r"predict_proba: .*'custom'"):
        net.predict_proba(ONE)


def test_copies_and_pickles():
    """By reference, as pickle stores functions; a lambda has none."""
    y = np.zeros((4, 2))
    net = fnn.Sequential(fnn.Dense(2))
    net.fit(ONE, y, loss=functools.partial(squared))
    for twin in (net.copy(), pickle.loads(pickle.dumps(net))):  # noqa: S301
        assert twin.evaluate(ONE, y) == net.evaluate(ONE, y)
    trainer = pickle.loads(pickle.dumps(fnn.Trainer(net, loss=squared)))  # noqa: S301
    assert trainer.step(ONE, y) == net.evaluate(ONE, y)["loss"]
    assert CustomLoss(squared) == CustomLoss(squared)
    assert hash(CustomLoss(squared)) == hash(CustomLoss(squared))
    assert "squared" in repr(CustomLoss(squared))

    net.fit(ONE, y, loss=lambda o, y: squared(o - 1, y))
    assert net.copy().evaluate(ONE, y) == net.evaluate(ONE, y)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(net)


# -- beside other parts ---------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
def test_lbfgs(n_threads, rng):
    """More rows than a chunk: each chunk is judged with its own rows of y."""
    X, y = features(rng, 1500), rng.normal(size=(1500, 2))
    weight = rng.random(1500)
    layers = [fnn.Dense(6, "tanh"), fnn.Dense(2)]
    net, other = _net(layers), _net(layers)
    options = {
        "optimizer": fnn.LBFGS(max_iter=5),
        "epochs": 3,
        "sample_weight": weight,
        "l2": 1e-3,
        "n_threads": n_threads,
    }
    history = net.fit(X, y, loss=squared, **options)
    wanted = other.fit(X, y, loss="mse", **options)
    np.testing.assert_allclose(
        history.history["loss"], wanted.history["loss"], rtol=1e-8
    )
    _assert_close(net, other, 1e-6)


def test_an_exception_in_lbfgs_leaves_an_iteration(rng):
    """Not the point of a line search."""
    X, y = features(rng, 60), rng.normal(size=(60, 2))
    seen, wanted = [], []
    net = _net([fnn.Dense(2, "tanh")]).build(X.shape[1])

    def failing(outputs, y):
        losses, gradient = squared(outputs, y)
        seen.append(losses.mean())
        if len(seen) == 9:
            raise BrokenError
        return losses, gradient

    with pytest.raises(BrokenError):
        net.fit(X, y, loss=failing, optimizer=fnn.LBFGS(max_iter=50))
    other = _net([fnn.Dense(2, "tanh")]).build(X.shape[1])
    for _ in range(9):
        wanted.append(other.evaluate(X, y, loss="mse")["loss"])
        other = _net([fnn.Dense(2, "tanh")]).build(X.shape[1])
        other.fit(X, y, loss="mse", optimizer=fnn.LBFGS(max_iter=len(wanted)), epochs=1)
    loss = net.evaluate(X, y, loss="mse")["loss"]
    assert min(abs(np.array(wanted) - loss)) < 1e-12
    assert loss < seen[0]


def test_sparse_rows(rng):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    X = features(rng, 200, 30) * (rng.random((200, 30)) < 0.2)
    y = rng.normal(size=(200, 2))
    runs = []
    for rows in (X, scipy_sparse.csr_matrix(X)):
        net = _net([fnn.Dense(6, "tanh"), fnn.Dense(2)])
        net.fit(rows, y, loss=squared, epochs=3, batch_size=50)
        runs.append(net)
    _assert_close(*runs, rtol=1e-10)


def test_files_leave_the_function_out(rng, tmp_path):
    X, y = features(rng, 20), rng.normal(size=(20, 2))
    net = _net([fnn.Dense(2)])
    net.fit(X, y, loss=squared)
    net.save(tmp_path / "net.fnn")
    twin = fnn.load(tmp_path / "net.fnn")
    assert bits(twin) == bits(net)
    with pytest.raises(ValueError, match="no last loss"):
        twin.evaluate(X, y)
    assert twin.evaluate(X, y, loss=squared) == net.evaluate(X, y)
    before = bits(net)
    trainer = fnn.Trainer(net, loss=squared)
    with pytest.raises(ValueError, match=r"checkpoint: the loss .* is your own"):
        trainer.fit(X, y, checkpoint=tmp_path / "run.fnn")
    assert bits(net) == before
    assert not (tmp_path / "run.fnn").exists()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("family", "function", "twin", "classes"),
    [
        (fnn.MLPRegressor, squared, "mse", 0),
        (fnn.MLPClassifier, entropy, "cross_entropy", 3),
        (fnn.MLPClassifier, logistic, "binary_cross_entropy", 2),
    ],
)
def test_estimators_take_functions(family, function, twin, classes, rng):
    X = features(rng, 120)
    y = rng.integers(0, classes, 120) if classes else rng.normal(size=120)
    settings = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    ours = family(loss=function, **settings).fit(X, y)
    wanted = family(loss=twin, **settings).fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, wanted.loss_curve_, rtol=1e-8)
    np.testing.assert_allclose(ours.coefs_[0], wanted.coefs_[0], rtol=0, atol=1e-8)


def test_ctrl_c_amid_the_metrics_is_a_keyboard_interrupt():
    n = 500_000
    X = np.random.default_rng(0).normal(size=(n, 1)).astype(np.float32)
    y = (X > 0).astype(np.float32)
    # The area under the curve of so many rows takes longer.
    press = threading.Timer(0.03, signal.raise_signal, [signal.SIGINT])

    def loss(outputs, targets):
        if press.ident is None:
            press.start()
        d = outputs - targets
        return (d * d).mean(axis=1), 2 * d

    net = fnn.Sequential(fnn.Dense(1))
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            net.fit(
                X,
                y,
                loss=CustomLoss(loss, targets="labels"),
                batch_size=n,
                epochs=500,
                metrics=["auc"],
                validation_data=(X[:100], y[:100]),
                n_threads=1,
            )
    finally:
        press.join()
        signal.signal(signal.SIGINT, handler)
