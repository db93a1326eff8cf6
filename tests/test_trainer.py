"""Trainer and fit: options, data, callbacks, stopping, divergence, errors."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest

import fastnn as fnn
from sanitized import usual_speed


def _net(**options):
    return fnn.Sequential(
        fnn.Dense(8, "tanh"), fnn.Dropout(0.2), fnn.Dense(3), **options
    )


def _state(net):
    return {name: a.tobytes() for name, a in net.state_dict().items()}


@pytest.fixture
def data(rng):
    X = rng.normal(size=(60, 4))
    return X, np.argmax(X[:, :3], axis=1)


# -- one engine -----------------------------------------------------------------------


def test_fit_equals_a_trainer(data):
    options = {"optimizer": fnn.SGD(0.1, momentum=0.9), "l2": 0.01, "clip_norm": 1.0}
    first, second = _net(), _net()
    history = first.fit(*data, epochs=3, batch_size=16, **options)
    trainer = fnn.Trainer(second, **options)
    other = trainer.fit(*data, epochs=3, batch_size=16)
    assert history.history["loss"] == other.history["loss"]
    assert _state(first) == _state(second)


def test_a_second_trainer_fit_goes_on(data):
    """Two fits of a trainer are one long one; fits of a net start optimizers anew."""
    long, short, fresh = _net(), _net(), _net()
    fnn.Trainer(long).fit(*data, epochs=4, batch_size=16)
    trainer = fnn.Trainer(short)
    trainer.fit(*data, epochs=2, batch_size=16)
    trainer.fit(*data, epochs=2, batch_size=16)
    assert _state(short) == _state(long)
    fresh.fit(*data, epochs=2, batch_size=16)
    fresh.fit(*data, epochs=2, batch_size=16)
    assert _state(fresh) != _state(long)


def test_shuffles_do_not_repeat(data):
    """With lr = 0 only the order of the rows tells epochs apart."""
    net = fnn.Sequential(fnn.BatchNorm(momentum=1.0), fnn.Dense(3))
    means = []
    for _ in range(2):
        net.fit(
            *data,
            optimizer=fnn.SGD(lr=0.0),
            epochs=2,
            batch_size=20,
            callbacks=[
                lambda info: means.append(
                    info.net.state_dict()["0.running_mean"].tobytes()
                )
            ],
        )
    assert len(set(means)) == 4


def test_steps_by_hand():
    """o = w x: loss (w - 1)**2, w -= lr * 2 (w - 1): 0 -> 0.5 -> 0.75."""
    net = fnn.Sequential(fnn.Dense(1, use_bias=False, init=([[0.0]], None)))
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=0.25))
    assert [trainer.step([[1.0]], [1.0]) for _ in range(2)] == [1.0, 0.25]
    assert net.parameters.tolist() == [0.75]


def test_step_weights():
    net = fnn.Sequential(fnn.Dense(1, use_bias=False, init=([[0.0]], None)))
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=0.25))
    loss = trainer.step([[1.0], [1.0]], [1.0, 5.0], sample_weight=[2.0, 0.0])
    assert loss == 1.0
    assert net.parameters.tolist() == [0.5]


def test_schedule(data):
    net = _net()
    history = net.fit(
        *data, optimizer=fnn.SGD(0.8), schedule=fnn.StepDecay(2, gamma=0.5), epochs=4
    )
    assert history.history["lr"] == [0.8, 0.8, 0.4, 0.4]


def test_repr():
    assert repr(fnn.Trainer(_net(), loss="mse")).startswith("Trainer(loss=MSE()")


# -- data -----------------------------------------------------------------------------


def test_history_keys(data):
    history = _net().fit(
        *data, epochs=2, validation_data=data, metrics=["accuracy", "auc"]
    )
    assert set(history.history) == {
        "loss",
        "accuracy",
        "auc",
        "val_loss",
        "val_accuracy",
        "val_auc",
        "lr",
        "seconds",
    }
    assert all(len(values) == 2 for values in history.history.values())
    assert history.epoch == [0, 1]
    assert history.stop_reason == "epochs"


def test_validation_is_evaluate(data):
    net = _net()
    weight = np.linspace(0, 1, 60)
    history = net.fit(
        *data, epochs=1, validation_data=(*data, weight), metrics="accuracy"
    )
    report = net.evaluate(*data, sample_weight=weight, metrics=["accuracy"])
    assert history.history["val_loss"] == [pytest.approx(report["loss"], rel=1e-6)]
    assert history.history["val_accuracy"] == [pytest.approx(report["accuracy"])]


def test_split_equals_the_same_rows_given(data):
    X, y = data
    weight = np.linspace(1, 2, 60)
    from fastnn._validation import split_rows

    train, held_out = split_rows(60, 0.25, y, seed=0)
    split, given = _net(), _net()
    history = split.fit(X, y, sample_weight=weight, validation_split=0.25, epochs=2)
    other = given.fit(
        X[train],
        y[train],
        sample_weight=weight[train],
        validation_data=(X[held_out], y[held_out], weight[held_out]),
        epochs=2,
    )
    assert _state(split) == _state(given)
    assert history.history["val_loss"] == other.history["val_loss"]


def test_class_weights_are_row_weights(data):
    X, y = data
    by_class, by_row = _net(), _net()
    table = np.array([1.0, 4.0, 2.0])
    half = np.full(60, 0.5)
    by_class.fit(X, y, class_weight=dict(enumerate(table)), sample_weight=half)
    by_row.fit(X, y, sample_weight=table[y] * 0.5)
    assert _state(by_class) == _state(by_row)


def test_a_batch_larger_than_the_data(data):
    whole, large = _net(), _net()
    whole.fit(*data, batch_size=60)
    large.fit(*data, batch_size=10**9)
    assert _state(whole) == _state(large)


# -- callbacks and stopping -----------------------------------------------------------


def test_callbacks_see_each_epoch(data):
    seen = []
    net = _net()
    trainer = fnn.Trainer(net)
    history = trainer.fit(*data, epochs=3, callbacks=[seen.append])
    assert [info.epoch for info in seen] == [0, 1, 2]
    assert all(info.net is net for info in seen)
    assert all(info.trainer is trainer for info in seen)
    for key, values in history.history.items():
        assert [info.logs[key] for info in seen] == values


def test_a_true_callback_stops_after_all_ran(data):
    ran = []
    history = _net().fit(
        *data,
        epochs=9,
        callbacks=[lambda info: info.epoch == 1, lambda info: ran.append(info.epoch)],
    )
    assert history.stop_reason == "callback"
    assert history.epoch == [0, 1] == ran


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_exceptions_of_callbacks_come_out(data, error):
    """The network keeps the weights of the epoch that the callback saw."""
    seen = []

    def fail(info):
        seen.append(_state(info.net))
        if info.epoch == 1:
            raise error("mine")

    net = _net()
    with pytest.raises(error, match="mine"):
        net.fit(*data, epochs=9, callbacks=[fail])
    assert len(seen) == 2
    assert _state(net) == seen[-1]
    net.fit(*data, epochs=1)  # and is of use again


def _interrupt_soon():
    """Ctrl-C after 0.3 s, as the terminal sends it; -> when, once it was sent."""
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.3, send).start()
    return sent


@usual_speed
def test_ctrl_c_returns_within_half_a_second(rng):
    X, y = rng.normal(size=(20_000, 64)), rng.integers(0, 3, size=20_000)
    net = fnn.Sequential(fnn.Dense(256, "relu"), fnn.BatchNorm(), fnn.Dense(3))
    net.build(64)
    before = _state(net)
    sent = _interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y, epochs=10**6, batch_size=20_000)
    assert time.perf_counter() - sent[0] < 0.5
    assert _state(net) != before
    assert all(np.isfinite(a).all() for a in net.state_dict().values())
    net.fit(X[:10], y[:10], epochs=1)  # and is of use again


def test_a_network_in_training_is_not_to_be_used_elsewhere(rng):
    """Neither garbage nor a crash: an error that says what to do."""
    X, y = rng.normal(size=(300_000, 8)), rng.integers(0, 3, size=300_000)
    net = fnn.Sequential(fnn.Dense(16, "relu"), fnn.Dense(3))
    first_epoch = threading.Event()
    fit = threading.Thread(
        target=net.fit,
        args=(X, y),
        kwargs={
            "epochs": 2,
            "batch_size": 1,
            "callbacks": [lambda _: first_epoch.set()],
        },
    )
    fit.start()
    first_epoch.wait()
    time.sleep(0.02)  # the second epoch is under way, and takes far longer
    for use in (net.predict, lambda X: net.fit(X, y[:1], epochs=1)):
        with pytest.raises(RuntimeError, match=r"net\.copy\(\)"):
            use(X[:1])
    fit.join()
    assert net.predict(X[:1]).shape == (1, 3)


def test_callbacks_may_look_at_the_network(data):
    losses = []
    history = _net().fit(
        *data,
        epochs=2,
        validation_data=data,
        callbacks=[lambda info: losses.append(info.net.evaluate(*data)["loss"])],
    )
    assert losses == history.history["val_loss"]


def test_early_stopping_restores_the_best(data):
    """Noise for labels: validation gets worse while training gets better."""
    X, _ = data
    noise = np.random.default_rng(0).integers(0, 3, size=(2, 60))
    states = []
    stop = fnn.EarlyStopping(patience=3)
    net = fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(3))
    history = net.fit(
        X,
        noise[0],
        validation_data=(-X, noise[1]),
        optimizer=fnn.Adam(lr=0.01),
        epochs=500,
        early_stopping=stop,
        callbacks=lambda info: states.append(_state(info.net)),
    )
    losses = history.history["val_loss"]
    assert history.stop_reason == "early_stopping"
    assert history.best_epoch == int(np.argmin(losses))
    assert len(losses) == history.best_epoch + 1 + 3
    assert _state(net) == states[history.best_epoch]


def test_early_stopping_without_restoring(data):
    states = []
    net = _net()
    history = net.fit(
        *data,
        optimizer=fnn.SGD(lr=0.0),
        epochs=500,
        callbacks=[
            fnn.EarlyStopping(
                "accuracy", patience=2, restore_best_weights=False, start_from_epoch=3
            ),
            lambda info: states.append(_state(info.net)),
        ],
        metrics=["accuracy"],
        l2=0.1,
    )
    assert history.stop_reason == "early_stopping"
    assert len(history.epoch) > 3 + 2
    assert _state(net) == states[-1]


def test_true_is_the_default_early_stopping(data):
    history = _net().fit(
        *data,
        optimizer=fnn.SGD(lr=0.0),
        epochs=50,
        validation_split=0.5,
        early_stopping=True,
    )
    assert history.best_epoch == 0
    assert len(history.epoch) == 11


def test_divergence(data):
    X, _ = data
    net = fnn.Sequential(fnn.Dense(32), fnn.Dense(1))
    finite = []
    with pytest.raises(fnn.DivergedError) as caught:
        net.fit(
            X,
            X[:, 0] * 100,
            loss="mse",
            optimizer=fnn.SGD(lr=1e6),
            epochs=100,
            batch_size=60,
            callbacks=[lambda _: finite.append(net.parameters.copy())],
        )
    error = caught.value
    assert error.lr == 1e6
    assert error.history.stop_reason == "diverged"
    assert len(error.history.epoch) == error.epoch
    for word in (
        "lr=1e+06",
        "clip_norm",
        "scale",
        "those before this fit",
        str(error.step),
    ):
        assert word in str(error)
    assert np.isfinite(net.parameters).all()
    if finite:
        np.testing.assert_array_equal(net.parameters, finite[-1])
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(twin) == str(error)
    assert twin.history == error.history


def test_an_absent_class_is_no_good_score(data):
    X, y = data
    with pytest.raises(fnn.DivergedError, match=r"val_auc.*rows of every class"):
        _net().fit(
            X,
            y,
            validation_data=(X[:5], np.zeros(5)),
            metrics=["auc"],
            early_stopping=fnn.EarlyStopping("val_auc"),
        )


def test_a_diverging_step(data):
    X, _ = data
    net = fnn.Sequential(fnn.Dense(32), fnn.Dense(1))
    trainer = fnn.Trainer(net, loss="mse", optimizer=fnn.SGD(lr=1e6))

    def many_steps():
        for _ in range(100):
            trainer.step(X, X[:, 0] * 100)

    with pytest.raises(fnn.DivergedError, match="the loss became"):
        many_steps()


# -- errors ---------------------------------------------------------------------------

V = "v"  # stands for the validation data below

FIT_ERRORS = [
    ({"epochs": 0}, ValueError, ["epochs", ">= 1", "0"]),
    ({"epochs": 2.0}, TypeError, ["epochs", "integer", "2.0"]),
    ({"epochs": True}, TypeError, ["epochs", "integer", "True"]),
    ({"batch_size": 0}, ValueError, ["batch_size", ">= 1", "0"]),
    ({"batch_size": "auto"}, TypeError, ["batch_size", "'auto'"]),
    ({"shuffle": "yes"}, TypeError, ["shuffle", "True or False", "'yes'"]),
    ({"verbose": 3}, ValueError, ["verbose", "3"]),
    ({"validation_split": 1.0}, ValueError, ["validation_split", "< 1", "1.0"]),
    ({"validation_split": -0.1}, ValueError, ["validation_split", ">= 0", "-0.1"]),
    ({"validation_split": "0.1"}, TypeError, ["validation_split", "number"]),
    (
        {"validation_split": 0.1, "validation_data": V},
        ValueError,
        ["validation_data", "validation_split", "both"],
    ),
    ({"validation_data": np.ones((4, 4))}, TypeError, ["validation_data", "(X, y)"]),
    ({"validation_data": (1,)}, TypeError, ["validation_data", "tuple of 1"]),
    (
        {"validation_data": (np.ones((2, 5)), [0, 1])},
        ValueError,
        ["validation_data[0]", "5 features", "4"],
    ),
    (
        {"validation_data": (np.ones((2, 4)), [0, 7])},
        ValueError,
        ["validation_data[1]", "label 7"],
    ),
    (
        {"validation_data": (np.ones((2, 4)), [0, 1], [-1, 1])},
        ValueError,
        ["validation_data[2]", "-1"],
    ),
    ({"loss": "cross_entorpy"}, ValueError, ["loss", "'cross_entropy'"]),
    ({"loss": None}, TypeError, ["loss", "None"]),
    ({"loss": "mse"}, ValueError, ["y", "'mse'", "3 outputs"]),
    ({"optimizer": "adm"}, ValueError, ["optimizer", "did you mean 'adam'"]),
    ({"optimizer": fnn.Adam}, TypeError, ["optimizer", "Adam"]),
    ({"schedule": "cosin"}, TypeError, ["schedule", "did you mean 'Cosine'"]),
    ({"schedule": 0.1}, TypeError, ["schedule", "float 0.1"]),
    ({"l1": -1.0}, ValueError, ["l1", ">= 0", "-1.0"]),
    ({"l2": float("nan")}, ValueError, ["l2", "nan"]),
    ({"l2": "0.1"}, TypeError, ["l2", "number"]),
    ({"max_norm": 0.0}, ValueError, ["max_norm", "> 0", "0.0"]),
    ({"clip_norm": -1}, ValueError, ["clip_norm", "> 0", "-1"]),
    ({"clip_value": float("inf")}, ValueError, ["clip_value", "inf"]),
    ({"n_threads": 0}, ValueError, ["n_threads", ">= 1", "0"]),
    ({"n_threads": 10**6}, ValueError, ["n_threads", "1000000"]),
    ({"metrics": ["acuracy"]}, ValueError, ["metrics", "did you mean 'accuracy'"]),
    ({"metrics": ["mae"]}, ValueError, ["metrics", "'mae'", "'cross_entropy'"]),
    ({"metrics": [len]}, TypeError, ["metrics", "names"]),
    ({"metrics": 1}, TypeError, ["metrics", "int"]),
    ({"early_stopping": True}, ValueError, ["monitor='val_loss'", "validation_data="]),
    ({"early_stopping": "loss"}, TypeError, ["early_stopping", "'loss'"]),
    (
        {"early_stopping": fnn.EarlyStopping("val_accuracy"), "validation_data": V},
        ValueError,
        ["early_stopping", "val_accuracy", "metrics=('accuracy',)"],
    ),
    (
        {"early_stopping": fnn.EarlyStopping("val_los"), "validation_data": V},
        ValueError,
        ["early_stopping", "did you mean 'val_loss'"],
    ),
    (
        {
            "early_stopping": fnn.EarlyStopping("loss"),
            "callbacks": [fnn.EarlyStopping()],
        },
        ValueError,
        ["early stopping", "2 times"],
    ),
    (
        {"schedule": fnn.ReduceOnPlateau()},
        ValueError,
        ["schedule", "val_loss", "validation_data="],
    ),
    ({"callbacks": ["log"]}, TypeError, ["callbacks[0]", "'log'"]),
    ({"callbacks": [fnn.EarlyStopping]}, TypeError, ["callbacks[0]", "EarlyStopping"]),
    ({"callbacks": 3}, TypeError, ["callbacks", "int"]),
    ({"sample_weight": np.zeros(60)}, ValueError, ["sample_weight", "zero"]),
    ({"class_weight": "balancd"}, ValueError, ["class_weight", "'balanced'"]),
    ({"X": np.full((60, 4), np.inf)}, ValueError, ["X", "240 entries"]),
    ({"X": np.ones((60, 5))}, ValueError, ["X", "5 features", "4"]),
    ({"y": np.arange(60)}, ValueError, ["y", "label 3", "3 outputs"]),
    ({"y": np.zeros(59)}, ValueError, ["y", "59 rows", "60"]),
    ({"epoch": 3}, TypeError, ["epoch"]),
]


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize(("options", "error", "words"), FIT_ERRORS)
def test_errors_change_nothing(data, fitted, options, error, words):
    net = _net()
    if fitted:
        net.fit(*data, epochs=1)
        before = _state(net)
    elif "X" in options and options["X"].shape[1] != 4:
        net.build(4)
        before = _state(net)
    options = {"X": data[0], "y": data[1], **options}
    if isinstance(options.get("validation_data"), str):
        options["validation_data"] = data
    with pytest.raises(error) as caught:
        net.fit(**options)
    for word in words:
        assert word in str(caught.value)
    if net.in_features is None:
        with pytest.raises(fnn.NotBuiltError):
            net.state_dict()
    else:
        assert _state(net) == before
    if not fitted:
        with pytest.raises(ValueError, match="not fitted yet"):
            net.build(4).predict_proba(data[0])


def _no_pair(outputs, y):
    """A loss that a user wrote wrongly."""
    return outputs.sum() + y.sum()


LATE = [
    ({"schedule": {"dropout": fnn.Linear(9.0, 9.0, 3)}}, ValueError),
    ({"loss": _no_pair}, TypeError),
    ({"callbacks": [fnn.CSVLogger("no/such/folder.csv")]}, OSError),
]


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize(("options", "error"), LATE)
def test_errors_found_late_change_nothing(data, fitted, options, error):
    """Those that need a network, before the first step: it is not built for them."""
    X, y = data
    net = fnn.Sequential(fnn.Dense(4), fnn.Dropout(0.2), fnn.Dense(3), seed=0)
    if fitted:
        net.fit(X, y, epochs=1)
        before, expected = net.parameters.copy(), net.predict_proba(X)
    with pytest.raises(error):
        net.fit(X, y, **options)
    if fitted:
        np.testing.assert_array_equal(net.parameters, before)
        np.testing.assert_array_equal(net.predict_proba(X), expected)
    else:
        assert net.in_features is None
        net.fit(X[:, :1], y, epochs=1)  # other columns: nothing was built for those


def test_a_step_that_fails_changes_nothing(data):
    X, y = data
    net = fnn.Sequential(fnn.Dense(3))
    trainer = fnn.Trainer(net, loss=_no_pair)
    with pytest.raises(TypeError, match="it must return a tuple"):
        trainer.step(X, y)
    assert net.in_features is None
    with pytest.raises(ValueError, match="not fitted yet"):
        net.predict_proba(X)


def test_an_error_after_a_step_keeps_what_was_learnt(data):
    X, y = data
    net = fnn.Sequential(fnn.Dense(3))
    seen = []

    def loss(outputs, y):
        seen.append(len(y))
        return 3 if len(seen) > 1 else (outputs.sum(axis=1), np.ones_like(outputs))

    with pytest.raises(TypeError, match="it must return a tuple"):
        net.fit(X, y, loss=loss, batch_size=8)
    begun = fnn.Sequential(fnn.Dense(3)).build(net.in_features)
    assert (net.parameters != begun.parameters).any()


def test_one_output_is_no_softmax(data):
    net = fnn.Sequential(fnn.Dense(1))
    with pytest.raises(ValueError, match="binary_cross_entropy"):
        net.fit(data[0], data[1] > 0)
    assert net.in_features is None


def test_weights_that_a_split_leaves_at_zero():
    weight = np.zeros(8)
    weight[0] = 1.0
    with pytest.raises(ValueError, match=r"zero for all 4 rows.*validation_split=0\.5"):
        _net().fit(np.ones((8, 2)), [0] * 8, sample_weight=weight, validation_split=0.5)


def test_a_trainer_needs_a_network():
    with pytest.raises(TypeError, match=r"net must be.*Sequential, got Dense"):
        fnn.Trainer(fnn.Dense(3))


STOPPING_ERRORS = [
    ({"patience": -1}, ValueError, ["patience", ">= 0", "-1"]),
    ({"patience": 1.5}, TypeError, ["patience", "integer"]),
    ({"min_delta": -0.1}, ValueError, ["min_delta", ">= 0"]),
    ({"mode": "maxx"}, ValueError, ["mode", "did you mean 'max'"]),
    ({"mode": None}, TypeError, ["mode", "None"]),
    ({"start_from_epoch": -1}, ValueError, ["start_from_epoch", ">= 0"]),
    ({"restore_best_weights": 1}, TypeError, ["restore_best_weights", "True or False"]),
    ({"monitor": 3}, TypeError, ["monitor", "string"]),
]


@pytest.mark.parametrize(("options", "error", "words"), STOPPING_ERRORS)
def test_early_stopping_refuses(options, error, words):
    with pytest.raises(error) as caught:
        fnn.EarlyStopping(**options)
    for word in ["EarlyStopping", *words]:
        assert word in str(caught.value)
