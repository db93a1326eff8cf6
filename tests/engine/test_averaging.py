"""EMA and SWA: against torch, against NumPy along a recorded run, and by promise."""

import importlib.util
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

import fastnn as fnn
from engine import record_averages, trajectories
from engine.problems import EVERYTHING, bits, classes, curves
from sanitized import usual_speed

RECORDED = {run["case"]: run for run in json.loads(record_averages.FILE.read_text())}
SOURCES = ["recorded"]
if importlib.util.find_spec("torch"):  # the same runs, by torch itself
    SOURCES.append("live")


def _fit(name, dtype="float64"):
    run, rule = record_averages.CASES[name]
    X, y, weight = trajectories.problem(run)[3]
    return trajectories.fit(
        run,
        dtype,
        callbacks=[rule],
        validation_data=(X, y) if weight is None else (X, y, weight),
    )


def _assert_same(net, history, wanted, rtol=1e-8):
    for key in ("loss", "val_loss"):
        np.testing.assert_allclose(history.history[key], wanted[key], rtol=rtol)
    state = net.state_dict()
    assert set(state) == set(wanted["state"])
    for name, values in wanted["state"].items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(
            state[name], values, rtol=0, atol=rtol * scale, err_msg=name
        )


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("case", record_averages.CASES)
def test_the_average_is_torchs(case, source):
    wanted = RECORDED[case]
    if source == "live":
        wanted = record_averages.torch_run(case)
    _assert_same(*_fit(case), wanted)


def test_the_file_holds_the_table():
    assert list(RECORDED) == list(record_averages.CASES)


@pytest.mark.parametrize("case", record_averages.CASES)
def test_float32_follows(case):
    _assert_same(*_fit(case, "float32"), RECORDED[case], rtol=2e-4)


@pytest.mark.parametrize("case", ["ema", "swa, batchnorm"])
def test_a_wrong_average_would_show(case):
    net, history = trajectories.fit(record_averages.CASES[case][0])
    history.history["val_loss"] = RECORDED[case]["val_loss"]
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        _assert_same(net, history, RECORDED[case])


# -- along a recorded run --------------------------------------------------------------


def _steps(net, X, y, epochs):
    """Return the tensors after each single step of a run without shuffling."""
    trainer, states = fnn.Trainer(net, optimizer=fnn.SGD(0.1)), []
    for _ in range(epochs):
        for begin in range(0, len(X), 16):
            trainer.step(X[begin : begin + 16], y[begin : begin + 16])
            states.append(net.state_dict())
    return states


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ema_along_a_run(rng, dtype):
    """Masks of dropout and all: the average of what single steps leave."""
    X, y = classes(rng, 70)
    nets = [fnn.Sequential(*EVERYTHING, dtype=dtype, seed=3).build(5) for _ in range(2)]
    options = {"optimizer": fnn.SGD(0.1), "batch_size": 16, "shuffle": False}
    nets[0].fit(X, y, epochs=3, callbacks=[fnn.EMA(0.7)], **options)
    first, *others = _steps(nets[1], X, y, 3)
    wanted = {k: v.astype("f8") for k, v in first.items()}
    for state in others:
        for name, value in state.items():
            wanted[name] += (1 - 0.7) * (value.astype("f8") - wanted[name])
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    for name, value in nets[0].state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert value == others[-1][name]
        else:
            np.testing.assert_allclose(value, wanted[name], atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_polyaks_average_along_a_run(rng, dtype):
    """Without a decay: the mean of what all steps left, from the first one on."""
    X, y = classes(rng, 70)
    nets = [fnn.Sequential(*EVERYTHING, dtype=dtype, seed=3).build(5) for _ in range(2)]
    options = {"optimizer": fnn.SGD(0.1), "batch_size": 16, "shuffle": False}
    nets[0].fit(X, y, epochs=3, callbacks=[fnn.EMA(None)], **options)
    states = _steps(nets[1], X, y, 3)
    assert len(states) == 15
    for name, value in nets[0].state_dict().items():
        wanted = np.mean([state[name].astype("f8") for state in states], axis=0)
        if name.endswith("num_batches_tracked"):
            wanted = states[-1][name]
        np.testing.assert_allclose(
            value, wanted, atol=1e-6 if dtype == "float32" else 1e-14
        )


def test_swa_along_a_run(rng):
    """The mean of what callbacks saw, with the statistics of one more pass."""
    X, y = classes(rng, 70)
    seen = []
    layers = [fnn.Dense(12), fnn.BatchNorm(), fnn.ReLU(), fnn.Dense(3)]
    net = fnn.Sequential(*layers, dtype="float64")
    net.fit(
        X,
        y,
        epochs=6,
        batch_size=16,
        callbacks=[fnn.SWA(2), lambda info: seen.append(info.net.state_dict())],
    )
    state = net.state_dict()
    for name in ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"):
        mean = np.mean([s[name] for s in seen[2:]], axis=0)
        np.testing.assert_allclose(state[name], mean, atol=1e-15)
    z = X @ state["0.weight"].T + state["0.bias"]
    batches = [z[i : i + 16] for i in range(0, 70, 16)]
    means = [b.mean(axis=0) for b in batches]
    variances = [b.var(axis=0, ddof=1) for b in batches]
    np.testing.assert_allclose(state["1.running_mean"], np.mean(means, axis=0))
    np.testing.assert_allclose(state["1.running_var"], np.mean(variances, axis=0))
    assert state["1.num_batches_tracked"] == 5


@pytest.mark.parametrize("rows", [1, 16, 33])
def test_batches_of_one_row_have_no_statistics(rng, rows):
    X, y = classes(rng, rows)
    net = fnn.Sequential(fnn.BatchNorm(), fnn.Dense(3))
    net.fit(X, y, epochs=2, batch_size=16, callbacks=[fnn.SWA(1)])
    state = net.state_dict()
    assert state["0.num_batches_tracked"] == rows // 16
    wanted = X[:32].reshape(-1, 16, 5).mean(axis=(0, 1)) if rows > 1 else np.zeros(5)
    np.testing.assert_allclose(state["0.running_mean"], wanted, atol=1e-6)


# -- promises --------------------------------------------------------------------------

AVERAGES = [
    fnn.EMA(0.9),
    fnn.EMA(None),
    fnn.SWA(1),
    fnn.SWA(0.4, fnn.Cyclic(1e-3, 1e-2, 3, per="step")),
]


def _everything(rule, n_threads, dtype, layers=EVERYTHING, **more):
    rng = np.random.default_rng(5)
    net = fnn.Sequential(*layers, seed=2, dtype=dtype)
    history = net.fit(
        *classes(rng, 203),
        epochs=4,
        batch_size=32,
        validation_data=classes(rng, 77),
        n_threads=n_threads,
        callbacks=[rule],
        **more,
    )
    return bits(net), curves(history)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", AVERAGES, ids=str)
def test_same_bits_for_any_number_of_threads(rule, dtype):
    first, *others = [_everything(rule, n, dtype) for n in (1, 2, 3)]
    for other in others:
        assert other == first
    assert first != _everything(rule, 1, dtype, l2=1e-3)


def test_same_bits_in_a_network_of_many_tiles():
    layers = [fnn.Dense(400, "relu"), fnn.Dense(300, "relu"), fnn.Dense(3)]
    one, two = (_everything(fnn.EMA(0.9), n, "float32", layers) for n in (1, 3))
    assert one == two


def test_ema_is_what_everybody_sees(rng):
    """Validation, callbacks, early stopping's best weights and the end."""
    data, validation = classes(rng, 80), classes(rng, 60)
    seen = []

    def look(info):
        loss = info.net.evaluate(*validation)["loss"]
        assert loss == info.logs["val_loss"]
        seen.append(bits(info.net))

    options = {"optimizer": fnn.Adam(0.03), "epochs": 12, "batch_size": 16}
    net = fnn.Sequential(*EVERYTHING)
    history = net.fit(
        *data,
        validation_data=validation,
        callbacks=[fnn.EMA(0.8), look],
        early_stopping=fnn.EarlyStopping(patience=3),
        **{**options, "epochs": 100},  # more than it takes to overfit
    )
    assert history.best_epoch == len(seen) - 4
    assert bits(net) == seen[history.best_epoch]

    alone = fnn.Sequential(*EVERYTHING)
    alone.fit(*data, callbacks=[fnn.EMA(0.8)], **options)
    raw = fnn.Sequential(*EVERYTHING)
    raw.fit(*data, **options)
    assert bits(alone) != bits(raw)


def test_looking_changes_nothing(rng):
    """Validation and callbacks between the epochs leave the training as it is."""
    data = classes(rng, 80)
    nets = [fnn.Sequential(*EVERYTHING) for _ in range(2)]
    nets[0].fit(*data, epochs=4, callbacks=[fnn.EMA(0.9)])
    nets[1].fit(
        *data,
        epochs=4,
        validation_data=data,
        callbacks=[fnn.EMA(0.9), lambda info: info.net.predict(data[0]) is None],
    )
    assert bits(nets[0]) == bits(nets[1])


def test_a_view_of_the_parameters_stays_one(rng):
    """The averages are swapped in place: nobody's view points to other memory."""
    net = fnn.Sequential(*EVERYTHING).build(5)
    view = net.parameters
    net.fit(*classes(rng, 40), epochs=2, callbacks=[fnn.EMA(0.5)])
    assert view.tobytes() == net.parameters.tobytes()
    view[:] = 0.0
    assert not net.parameters.any()


def test_what_a_callback_writes_goes_into_the_average(rng):
    data = classes(rng, 40)
    net = fnn.Sequential(fnn.Dense(3)).build(5)

    def erase(info):
        info.net.parameters[:] = 0.0

    net.fit(*data, epochs=1, callbacks=[fnn.EMA(0.9), erase])
    assert not net.parameters.any()


def test_a_second_fit_goes_on_from_the_average(rng):
    data = classes(rng, 80)
    nets = [fnn.Sequential(*EVERYTHING) for _ in range(2)]
    trainers = [fnn.Trainer(net, optimizer=fnn.SGD(0.1)) for net in nets]
    trainers[0].fit(*data, epochs=2, callbacks=[fnn.EMA(0.9)])
    averaged = nets[0].state_dict()
    trainers[1].fit(*data, epochs=2)
    nets[1].load_state_dict(averaged)
    for trainer in trainers:
        trainer.fit(*data, epochs=2, callbacks=[fnn.EMA(0.9)])
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize("rule", [fnn.EMA(0.9), fnn.SWA(2)], ids=str)
def test_divergence_gives_back_the_last_finite_epoch(rng, rule):
    X, y = rng.normal(size=(64, 5)), rng.normal(size=64)
    seen = []

    def look(info):
        seen.append(bits(info.net))

    net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(1))
    schedule = fnn.MultiStep([3], gamma=1e9)
    with pytest.raises(fnn.DivergedError) as caught:
        net.fit(
            X,
            y,
            loss="mse",
            optimizer=fnn.SGD(0.01),
            schedule=schedule,
            epochs=6,
            callbacks=[rule, look],
        )
    assert caught.value.epoch == 3
    assert bits(net) == seen[2]


def test_divergence_in_the_first_epoch(rng):
    X, y = rng.normal(size=(64, 5)), rng.normal(size=64)
    net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(1)).build(5)
    before = bits(net)
    with pytest.raises(fnn.DivergedError):
        net.fit(
            X, y, loss="mse", optimizer=fnn.SGD(1e9), epochs=6, callbacks=[fnn.EMA()]
        )
    assert bits(net) == before


class _StopError(Exception):
    """Raised by a callback."""


@pytest.mark.parametrize("rule", [fnn.EMA(0.9), fnn.SWA(0)], ids=str)
def test_an_exception_leaves_what_the_callback_saw(rng, rule):
    seen = []

    def stop(info):
        seen.append(bits(info.net))
        if info.epoch == 2:
            raise _StopError

    net = fnn.Sequential(*EVERYTHING)
    with pytest.raises(_StopError):
        net.fit(*classes(rng, 80), epochs=6, callbacks=[rule, stop])
    assert bits(net) == seen[2]


CTRL_C_IN_THE_LAST_ONE = """
import os, signal, threading
import numpy as np
import fastnn as fnn

signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
X = rng.normal(size=(60_000, 200)).astype("f4")
y = rng.integers(0, 3, 60_000)
net = fnn.Sequential(fnn.Dense(512, "relu"), fnn.BatchNorm(), fnn.Dense(3))
seen = []

def stop(info):
    seen.append(info.net.state_dict())
    threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGINT)).start()
    return True

try:
    net.fit(X, y, callbacks=[fnn.SWA(0), stop], n_threads=1)
    print("late")
except KeyboardInterrupt:
    state = net.state_dict()
    print(all(np.array_equal(state[name], seen[0][name]) for name in state))
"""


@usual_speed
def test_ctrl_c_in_the_last_pass_leaves_the_weights():
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C_IN_THE_LAST_ONE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def test_swa_that_never_began_keeps_the_weights(rng):
    data = classes(rng, 80)
    nets = [fnn.Sequential(*EVERYTHING) for _ in range(2)]
    stop = [lambda info: info.epoch == 1]
    nets[0].fit(*data, epochs=6, callbacks=[fnn.SWA(3), *stop])
    nets[1].fit(*data, epochs=6, callbacks=stop)
    assert bits(nets[0]) == bits(nets[1])


def test_swa_rates(rng):
    net = fnn.Sequential(fnn.Dense(3))
    history = net.fit(
        *classes(rng, 80),
        optimizer=fnn.SGD(0.1),
        schedule=fnn.StepDecay(1, gamma=0.5),
        epochs=5,
        batch_size=16,
        callbacks=[fnn.SWA(0.5, fnn.Linear(1.0, 0.5, 10, per="step"))],
    )
    # 0.5 of 5 epochs: from epoch 2 on; the last of 5 steps of each epoch
    wanted = [0.1, 0.05, 0.1 * (1 - 0.5 * 0.4), 0.1 * (1 - 0.5 * 0.9), 0.05]
    np.testing.assert_allclose(history.history["lr"], wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("callbacks", "options", "said"),
    [
        ([fnn.EMA(), fnn.SWA(1)], {}, "keep one"),
        ([fnn.EMA(), fnn.EMA(0.5)], {}, r"EMA\(decay=0.999\) and EMA\(decay=0.5\)"),
        ([fnn.SWA(1)], {"early_stopping": True}, "restore_best_weights=False"),
        ([fnn.SWA(10)], {}, "start=10 leaves none of epochs=10"),
        (fnn.SWA(10), {}, "at the latest with epoch 9"),
    ],
    ids=str,
)
def test_contradictions_are_errors(rng, callbacks, options, said):
    data = classes(rng, 20)
    net = fnn.Sequential(fnn.Dense(3))
    with pytest.raises(ValueError, match=said):
        net.fit(*data, validation_data=data, callbacks=callbacks, **options)
    assert net.in_features is None  # nothing was built


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: fnn.EMA(1.0), ValueError, "decay must be >= 0 and < 1, got 1.0"),
        (lambda: fnn.EMA(-0.1), ValueError, "decay must be"),
        (lambda: fnn.EMA(float("nan")), ValueError, "decay must be"),
        (lambda: fnn.EMA("0.9"), TypeError, "decay must be a number"),
        (lambda: fnn.SWA(-1), ValueError, "start must be >= 0, got -1"),
        (lambda: fnn.SWA(1.0), ValueError, r"a part of the epochs in \(0, 1\)"),
        (lambda: fnn.SWA(0.0), ValueError, "start must be"),
        (lambda: fnn.SWA(float("nan")), ValueError, "start must be"),
        (lambda: fnn.SWA(True), TypeError, "start must be"),
        (lambda: fnn.SWA(1, "cosine"), TypeError, "schedule must be a schedule"),
        (lambda: fnn.SWA(1, fnn.ReduceOnPlateau()), ValueError, "watches the run"),
    ],
    ids=str,
)
def test_settings_out_of_range(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_early_stopping_that_restores_nothing_goes_with_swa(rng):
    data = classes(rng, 80)
    net = fnn.Sequential(*EVERYTHING)
    history = net.fit(
        *data,
        epochs=40,
        optimizer=fnn.SGD(1e-6),
        validation_data=data,
        early_stopping=fnn.EarlyStopping(
            min_delta=0.5, patience=2, restore_best_weights=False
        ),
        callbacks=[fnn.SWA(1)],
    )
    assert history.stop_reason == "early_stopping"
    assert net.state_dict()["1.num_batches_tracked"] == 1


def test_a_loss_in_python_that_raises_leaves_the_averages(rng):
    X = rng.normal(size=(400, 4))
    y = X[:, :1]
    stop_at = 37  # the fourth epoch of ten batches
    calls = itertools.count(1)

    def loss(outputs, targets):
        if next(calls) == stop_at:
            raise LookupError("enough")
        d = outputs - targets
        return (d * d).mean(axis=1), 2 * d / d.shape[1]

    def net():
        layers = fnn.Dense(8, "tanh"), fnn.Dense(1)
        return fnn.Sequential(*layers, seed=3, dtype="float64")

    broken = net()
    with pytest.raises(LookupError, match="enough"):
        broken.fit(
            X,
            y,
            loss=loss,
            optimizer=fnn.SGD(lr=0.1),
            batch_size=40,
            epochs=20,
            shuffle=False,
            callbacks=[fnn.EMA(0.9)],
        )

    twin = net().build(4)
    trainer = fnn.Trainer(twin, loss="mse", optimizer=fnn.SGD(lr=0.1))
    average = None
    for step in range(stop_at - 1):
        rows = slice(step % 10 * 40, step % 10 * 40 + 40)
        trainer.step(X[rows], y[rows])
        if average is None:
            average = twin.parameters.copy()
        else:
            average += 0.1 * (twin.parameters - average)
    np.testing.assert_allclose(broken.parameters, average, rtol=1e-9, atol=1e-12)
