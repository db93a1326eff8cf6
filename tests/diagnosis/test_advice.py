"""Following a finding's advice lowers the loss that was blamed.

Each row names a case, a finding it must bear, and what a user does who follows the
advice. The loss is computed here, by the public functions alone.
"""

import dataclasses
import functools

import numpy as np
import pytest

import fastnn as fnn
from diagnosis.cases import CASES, arguments, net, scaled, standardised

pytest.importorskip("sklearn")
pytest.importorskip("mlxtend")

Dense = fnn.Dense


def case(name):
    return next(c for c in CASES if c.make.__name__ == name)


def given(name):
    return case(name).make()


@functools.cache
def report(name):
    return case(name).diagnose()


def loss_after(task, *, held_out=False):
    """Train as the task says; return the loss on the rows, or on a quarter held out."""
    task = dict(task)
    network = task.pop("net").copy()
    X, y = np.asarray(task.pop("X"), dtype=float), task.pop("y")
    validation = task.pop("validation_data", None)
    options = {"loss": "cross_entropy", "optimizer": "adam", **task}
    options.setdefault("epochs", 120)
    order = np.random.default_rng(7).permutation(len(X))
    cut = len(X) * 3 // 4 if held_out else len(X)
    train, rest = order[:cut], order[cut:]
    try:
        network.fit(X[train], y[train], **options)
    except fnn.DivergedError:
        return np.inf
    rows = (X[rest], y[rest]) if held_out else (X, y)
    if validation is not None:
        rows = validation
    return network.evaluate(*rows, loss=options["loss"])["loss"]


def optimizer(new):
    return lambda task, _: {**task, "optimizer": new}


def layers(*new):
    return lambda task, _: {**task, "net": net(*new)}


def suggested(task, finding):
    rate = float(finding.advice.split("lr=")[1].split(",")[0])
    return {**task, "optimizer": dataclasses.replace(task["optimizer"], lr=rate)}


def scaled_inputs(task, _):
    return {**task, "X": standardised(task["X"])}


def relu_with_norm(depth, outputs):
    block = [(Dense(64), fnn.BatchNorm(), fnn.ReLU()) for _ in range(depth)]
    return layers(*(x for b in block for x in b), Dense(outputs))


ADVICE = [
    ("digits_slow", "weak_optimizer", optimizer("adam")),
    ("digits_fast", "weak_optimizer", optimizer("adam")),
    ("diabetes_slow", "learning_rate_low", suggested),
    ("digits_fast_adam", "learning_rate_high", suggested),
    ("wine_dead", "dead_units", layers(Dense(32, "relu"), Dense(3))),
    ("wine_dead", "bad_initial_weights", layers(Dense(32, "relu"), Dense(3))),
    ("circles_zeros", "equal_units", layers(Dense(32, "tanh"), Dense(2))),
    ("digits_sigmoids", "vanishing_gradients", relu_with_norm(10, 10)),
    ("digits_sigmoids", "needs_normalisation", relu_with_norm(10, 10)),
    (
        "digits_sigmoids",
        "too_deep",
        layers(*[Dense(64, "sigmoid")] * 2, Dense(10)),
    ),
    (
        "digits_saturated",
        "saturated_units",
        layers(*[Dense(64, "tanh")] * 4, Dense(10)),
    ),
    ("digits_two_units", "too_narrow", layers(Dense(64, "relu"), Dense(10))),
    ("circles_linear", "no_hidden_layer", layers(Dense(64, "relu"), Dense(2))),
    ("cancer_unscaled", "unscaled_inputs", scaled_inputs),
    ("wine_unscaled", "unscaled_inputs", scaled_inputs),
    ("digits_probabilities", "output_activation", layers(Dense(64, "relu"), Dense(10))),
    ("out_of_reach", "targets_out_of_reach", layers(Dense(32, "relu"), Dense(1))),
    (
        "digits_sigmoids",
        "needs_skips",
        layers(
            Dense(64, "sigmoid"),
            *[fnn.Residual(Dense(64, "sigmoid")) for _ in range(9)],
            Dense(10),
        ),
    ),
    (
        "circles_far_off",
        "stuck_on_plateau",
        layers(Dense(32, "relu"), Dense(1, "sigmoid")),
    ),
    ("circles_fit", "too_few_epochs", lambda task, _: {**task, "epochs": 480}),
    ("digits_slow", "small_updates", optimizer(fnn.SGD(0.1))),
    ("digits_fast", "large_updates", optimizer(fnn.SGD(0.1))),
    ("digits_fast", "learning_rate_high", suggested),
    ("wave_fast", "learning_rate_high", suggested),
    ("wine_dead", "cannot_learn_a_batch", layers(Dense(32, "relu"), Dense(3))),
    (
        "digits_penalised",
        "too_much_regularisation",
        lambda task, _: {**task, "l2": 1e-4},
    ),
    (
        "digits_frozen",
        "frozen_layers",
        lambda task, _: {**task, "net": task["net"].copy().unfreeze()},
    ),
    ("digits_dead", "worse_than_linear", layers(Dense(64, "relu"), Dense(10))),
]


EVERYDAY = ("digits_two_units", "wine_dead", "wine_unscaled")


@pytest.mark.parametrize(
    ("name", "code", "follow"),
    [
        pytest.param(
            *row,
            id="-".join(row[:2]),
            marks=() if row[0] in EVERYDAY else pytest.mark.thorough,
        )
        for row in ADVICE
    ],
)
def test_advice_on_the_training_loss(name, code, follow):
    task = given(name)
    finding = report(name)[code]
    assert finding.severity in ("severe", "warning")
    before, after = loss_after(task), loss_after(follow(task, finding))
    assert after < 0.9 * before


def with_dropout(task, _):
    changed = [
        x for layer in task["net"].layers[:-1] for x in (layer, fnn.Dropout(0.3))
    ]
    return {**task, "net": net(*changed, task["net"].layers[-1])}


def stop_early(task, _):
    return {**task, "validation_split": 0.2, "early_stopping": True}


def more_rows(_, __):
    return arguments(given("digits_sixty_rows")["net"], scaled("digits"), epochs=20)


NEW_ROWS = [
    ("diabetes_wide", "overfitting", stop_early),
    ("diabetes_wide", "overfitting", with_dropout),
    ("digits_sixty_rows", "overfitting", more_rows),
    ("digits_pixels", "unscaled_inputs", scaled_inputs),
]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "code", "follow"), NEW_ROWS)
def test_advice_on_new_rows(name, code, follow):
    task = given(name)
    finding = report(name)[code]
    assert finding.severity == "severe"
    before = loss_after(task, held_out=True)
    assert loss_after(follow(task, finding), held_out=True) < 0.9 * before


def same_distribution(task, _):
    X, y = task["validation_data"]
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    return {**task, "validation_data": (X, y)}


def right_order(task, _):
    X, y = task["validation_data"]
    return {**task, "validation_data": (X, y[::-1])}


VALIDATION = [
    ("digits_shifted", "input_shift", same_distribution),
    ("wine_unscaled_validation", "input_shift", same_distribution),
    ("digits_other_labels", "other_relation", right_order),
]


@pytest.mark.parametrize(("name", "code", "follow"), VALIDATION)
def test_advice_on_validation_rows(name, code, follow):
    task = given(name)
    finding = report(name)[code]
    assert finding.severity == "severe"
    before = loss_after({**task, "epochs": 60})
    assert loss_after({**follow(task, finding), "epochs": 60}) < 0.5 * before


def test_advice_on_gaps():
    task = given("not_a_number")
    assert report("not_a_number").codes == ("not_finite",)
    X = np.where(np.isnan(task["X"]), 0.0, task["X"])
    assert fnn.diagnose(**{**task, "X": X}, epochs=300, verbose=0).verdict == "healthy"


def test_advice_on_targets():
    task = given("diabetes_targets")
    finding = report("diabetes_targets")["unscaled_targets"]
    assert finding.severity == "severe"
    y = task["y"]
    before = loss_after({**task, "epochs": 60}) / np.var(y)
    assert loss_after({**task, "y": standardised(y), "epochs": 60}) < 0.9 * before
