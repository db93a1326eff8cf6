"""Early stopping and the plateau schedule, judged by a replay in plain Python."""

import numpy as np
import pytest

import fastnn as fnn
from engine.problems import bits, classes


@pytest.fixture
def noise(rng):
    """Labels that mean nothing: training improves, validation gets worse and jumps."""
    X = rng.normal(size=(80, 5))
    return (X[:40], rng.integers(0, 3, 40)), (X[40:], rng.integers(0, 3, 40))


def _replay(scores, *, patience, min_delta=0.0, start_from_epoch=0, sign=1.0):
    """Return (epochs run, best epoch) by the rule's description."""
    best, best_epoch, waited = None, None, 0
    for epoch, score in enumerate(scores):
        if epoch < start_from_epoch:
            continue
        if best is None or sign * score < sign * best - min_delta:
            best, best_epoch, waited = score, epoch, 0
        else:
            waited += 1
            if waited >= patience:
                return epoch + 1, best_epoch
    return len(scores), best_epoch


RULES = [
    {"patience": 0},
    {"patience": 1},
    {"patience": 7},
    {"patience": 4, "min_delta": 0.01},
    {"patience": 3, "min_delta": 10.0},
    {"patience": 2, "start_from_epoch": 9},
    {"patience": 3, "monitor": "val_accuracy"},
    {"patience": 3, "monitor": "val_auc", "mode": "max"},
    {"patience": 2, "monitor": "val_accuracy", "mode": "min"},
    {"patience": 5, "monitor": "loss", "min_delta": 0.02},
    {"patience": 3, "restore_best_weights": False},
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_early_stopping(noise, rule):
    data, validation = noise
    options = {
        "optimizer": fnn.Adam(lr=0.02),
        "metrics": ["accuracy", "auc"],
        "validation_data": validation,
        "batch_size": 16,
        "epochs": 60,
    }
    layers = fnn.Dense(24), fnn.BatchNorm(), fnn.ReLU(), fnn.Dropout(0.1), fnn.Dense(3)
    free, net = fnn.Sequential(*layers), fnn.Sequential(*layers)
    states = []
    whole = free.fit(
        *data, callbacks=[lambda info: states.append(bits(info.net))], **options
    )
    stopping = fnn.EarlyStopping(**rule)
    history = net.fit(*data, early_stopping=stopping, **options)

    scores = whole.history[stopping.monitor]
    up = "accuracy" in stopping.monitor or "auc" in stopping.monitor
    upwards = stopping.mode == "max" or (stopping.mode == "auto" and up)
    epochs, best = _replay(
        scores,
        patience=stopping.patience,
        min_delta=stopping.min_delta,
        start_from_epoch=stopping.start_from_epoch,
        sign=-1.0 if upwards else 1.0,
    )
    assert history.history[stopping.monitor] == scores[:epochs]
    assert history.best_epoch == best
    assert history.stop_reason == ("early_stopping" if epochs < 60 else "epochs")
    last = best if stopping.restore_best_weights else epochs - 1
    assert bits(net) == states[last]


def test_the_rules_differ():
    """The table above tells something: it has rules that stop, at different epochs."""
    scores = [3.0, 2.0, 2.1, 1.995, 1.99, 2.5, 2.5, 2.5, 2.5]
    assert _replay(scores, patience=1) == (3, 1)
    assert _replay(scores, patience=3) == (8, 4)
    assert _replay(scores, patience=3, min_delta=0.1) == (5, 1)
    assert _replay(scores, patience=1, start_from_epoch=2) == (6, 4)
    assert _replay(scores, patience=20) == (9, 4)


def test_a_best_last_epoch_is_kept(rng):
    """No stop: the best weights come back all the same, here those of the end."""
    data = classes(rng, 120)
    net = fnn.Sequential(fnn.Dense(8, "tanh"), fnn.Dense(3))
    history = net.fit(*data, epochs=4, validation_data=data, early_stopping=True)
    assert history.stop_reason == "epochs"
    assert history.best_epoch == 3
    assert net.evaluate(*data)["loss"] == history.history["val_loss"][3]


def test_without_early_stopping_the_last_epoch_counts(noise):
    data, validation = noise
    net = fnn.Sequential(fnn.Dense(24, "relu"), fnn.Dense(3))
    history = net.fit(
        *data, epochs=30, optimizer=fnn.Adam(lr=0.1), validation_data=validation
    )
    assert int(np.argmin(history.history["val_loss"])) < 29
    assert history.best_epoch == 29
    assert net.evaluate(*validation)["loss"] == history.history["val_loss"][-1]


@pytest.mark.parametrize(
    "settings",
    [
        {"patience": 0, "factor": 0.5},
        {"patience": 2, "factor": 0.3, "cooldown": 2},
        {"patience": 1, "factor": 0.5, "threshold": 0.05, "min_lr": 1e-3},
        {"patience": 1, "factor": 0.1, "threshold_mode": "abs", "threshold": 0.01},
    ],
    ids=str,
)
def test_the_plateau_follows_the_validation_loss(noise, settings):
    """lr of each epoch against torch's rule, replayed on the scores of the run."""
    data, validation = noise
    net = fnn.Sequential(fnn.Dense(24, "relu"), fnn.Dense(3))
    history = net.fit(
        *data,
        epochs=30,
        optimizer=fnn.Adam(lr=0.05),
        schedule=fnn.ReduceOnPlateau(**settings),
        validation_data=validation,
    )
    rule = fnn.ReduceOnPlateau(**settings)
    lr, best, bad, cooldown, rates = 0.05, np.inf, 0, 0, []
    for score in history.history["val_loss"]:
        rates.append(lr)
        limit = best - rule.threshold
        if rule.threshold_mode == "rel":
            limit = best * (1 - rule.threshold)
        if score < limit:
            best, bad = score, 0
        else:
            bad += 1
        if cooldown > 0:
            cooldown, bad = cooldown - 1, 0
        if bad > rule.patience:
            lower = max(lr * rule.factor, rule.min_lr)
            lr = lower if lr - lower > rule.eps else lr
            cooldown, bad = rule.cooldown, 0
    assert len(set(rates)) > 2
    np.testing.assert_allclose(history.history["lr"], rates, rtol=1e-12)
