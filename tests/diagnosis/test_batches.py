"""The gradient's noise scale, and what is tried by it."""

import numpy as np
import pytest

import fastnn as fnn
from fastnn.diagnosis import batches
from fastnn.diagnosis.clock import Clock
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.trial import Rows, Setup


def lab_of(X, y, net, **changed):
    setup = Setup(
        loss=fnn.MSE(),
        optimizer=changed.pop("optimizer", fnn.SGD(0.01)),
        schedule=changed.pop("schedule", None),
        batch_size=changed.pop("batch_size", 32),
        epochs=changed.pop("epochs", 5),
        trainer={},
        class_weight=None,
        fit={},
    )
    rows = Rows(X.astype("f4"), y.astype("f4").reshape(len(y), -1), None)
    return Lab(net, setup, rows, len(X), None, Clock(20), 0, lambda _: None)


def zeros(columns):
    return fnn.Sequential(fnn.Dense(1, init="zeros", use_bias=False)).build(columns)


def test_noise_scale_of_a_gradient_known_row_by_row():
    """Of weights 0 a row's gradient is ``-2 y x``: its mean and spread are known."""
    random = np.random.default_rng(0)
    X = random.standard_normal((3000, 4))
    y = X @ [0.5, -0.5, 0.5, 0.5] + random.standard_normal(3000)
    lab = lab_of(X, y, zeros(4))
    each = -2 * lab.train.y * lab.train.X
    expected = each.var(axis=0).sum() / (each.mean(axis=0) ** 2).sum()
    found = [batches.noise_scale(lab, lab.net) for _ in range(40)]
    assert found.count(None) < 8  # the estimate is as rough as that
    assert np.median([noise for noise in found if noise]) == pytest.approx(
        expected, rel=0.15
    )


def test_no_noise_scale_of_noise():
    """At the minimum the gradient is lost in noise, or batches must be very large."""
    random = np.random.default_rng(1)
    X, y = random.standard_normal((2000, 4)), random.standard_normal(2000)
    lab = lab_of(X, y, zeros(4))
    found = [batches.noise_scale(lab, lab.net) for _ in range(20)]
    assert all(noise is None or noise > 100 for noise in found)


def test_too_few_rows_for_a_noise_scale():
    lab = lab_of(np.ones((4, 2)), np.arange(4.0), zeros(2))
    assert batches.noise_scale(lab, lab.net) is None


@pytest.mark.parametrize(
    ("noise", "used", "size"),
    [
        *((30.0, 128, 32), (30.0, 100, None), (5.0, 128, 16), (5.0, 60, None)),
        *((200.0, 2000, 256), (0.1, 1000, 16)),
    ],
)
def test_smaller_batches_are_of_the_noise_scale(noise, used, size):
    assert batches._smaller(noise, used) == size


@pytest.mark.parametrize(
    ("noise", "used", "rows", "size"),
    [
        *((None, 1, 10_000, 256), (None, 64, 10_000, 256), (None, 65, 10_000, None)),
        *((100.0, 1, 10_000, 64), (1e9, 8, 600, 64), (3.0, 1, 10_000, None)),
    ],
)
def test_larger_batches_stay_below_the_noise_scale(noise, used, rows, size):
    assert batches._larger(noise, used, rows) == size


def test_the_rate_for_larger_batches():
    assert batches._with_rate_for(fnn.SGD(0.01, momentum=0.9), 16).lr == 0.16
    assert batches._with_rate_for(fnn.Adam(0.01), 16).lr == 0.04
    assert batches._with_rate_for(fnn.Rprop(), 16).lr == pytest.approx(0.04)


def test_a_schedule_goes_along_where_only_the_rate_differs():
    random = np.random.default_rng(2)
    X = random.standard_normal((200, 2))
    lab = lab_of(X, X[:, 0], zeros(2), schedule=fnn.Exponential(0.5), epochs=3)
    options = {"optimizer": fnn.SGD(0.1), "with_ending": True}
    kept = lab.run("kept", keeps_schedule=True, **options)
    assert kept.ending.settings["lr"] == pytest.approx(0.1 * 0.5 ** (kept.epochs - 1))
    assert lab.run("left", **options).ending.settings["lr"] == pytest.approx(0.1)


def test_a_run_ends_when_its_loss_is_low_enough():
    X = np.random.default_rng(3).standard_normal((200, 2))
    lab = lab_of(X, X[:, 0], zeros(2), optimizer=fnn.SGD(0.1), epochs=50)
    whole = lab.run("all epochs")
    run = lab.run("until it is low", enough=0.3)
    assert whole.epochs == lab.epochs
    assert run.curve[-1] <= 0.3 < min(run.curve[:-1])


def test_the_noise_is_evidence():
    random = np.random.default_rng(11)
    X = random.standard_normal((2000, 20))
    y = X @ random.standard_normal(20) + 2 * random.standard_normal(2000)
    report = fnn.diagnose(
        fnn.Sequential(fnn.Dense(1)),
        X,
        (y - y.mean()) / y.std(),
        loss="mse",
        optimizer=fnn.SGD(0.03),
        batch_size=1,
        epochs=20,
        verbose=0,
    )
    evidence = report["batch_too_small"].evidence
    assert evidence["batch_size"] == 1
    assert evidence["noise_scale"] > 4
    assert evidence["training"] > evidence["training_batches_of_32"] + 0.1
    assert evidence["held_out_at_best"] > evidence["held_out_at_best_batches_of_32"]


def test_healthy_batches_are_let_be():
    """Batches near the noise scale: nothing is tried, nothing is said."""
    random = np.random.default_rng(4)
    X = random.standard_normal((1500, 6))
    y = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)
    net = fnn.Sequential(fnn.Dense(32, "relu"), fnn.Dense(2))
    report = fnn.diagnose(net, X, y, batch_size=32, budget="10s", verbose=0)
    assert not {"batch_too_large", "batch_too_small"} & set(report.codes)
    m = report.measurements["batch_size"]
    assert m["used"] == 32
    assert {16, 32, 64, 256} == m["seconds_an_epoch"].keys()


@pytest.mark.parametrize("optimizer", ["lbfgs", fnn.SGD(1e6)])
def test_trainings_without_batches_or_an_end(optimizer):
    random = np.random.default_rng(5)
    X = random.standard_normal((300, 3))
    net = fnn.Sequential(fnn.Dense(1))
    report = fnn.diagnose(
        net,
        X,
        X[:, 0],
        loss="mse",
        optimizer=optimizer,
        epochs=20,
        budget="5s",
        verbose=0,
    )
    assert "slow_batches" not in report
