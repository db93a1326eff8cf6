"""Following a finding's advice lowers what was blamed.

Each row names a case, a finding it must bear, what a user does who follows the advice,
and what was blamed, if not the training loss. Every code of a finding has a row, or a
reason in `OUTSIDE` why no program can follow its advice.
"""

import functools
import re
from pathlib import Path

import pytest

import fastnn as fnn
from diagnosis import following as do
from diagnosis.cases import CASES
from diagnosis.following import TASKS, Dense, batch, layers, rate, with_
from fastnn.diagnosis.codes import CODES

pytest.importorskip("sklearn")
pytest.importorskip("mlxtend")

OUTSIDE = {
    "one_class": "no loss is blamed: it is 0 already; only who made y knows better",
    "constant_targets": "likewise",
}

ADVICE = [
    # the data
    ("not_a_number", "not_finite", do.filled_gaps),
    ("wine_of_one_year", "constant_columns", do.without("columns")),
    ("wine_of_one_year", "unscaled_inputs", do.scaled_inputs),
    ("copied_column", "duplicate_columns", do.without("pairs")),
    ("cancer_unscaled", "unscaled_inputs", do.scaled_inputs),
    ("wine_unscaled", "unscaled_inputs", do.scaled_inputs),
    ("digits_pixels", "unscaled_inputs", do.scaled_inputs, do.loss_on_new_rows),
    ("diabetes_targets", "unscaled_targets", do.scaled_targets, do.unexplained),
    ("rare_class", "class_imbalance", with_(class_weight="balanced"), do.loss_by_class),
    (
        "column_left_out",
        "contradictory_rows",
        with_(X=TASKS["column_left_out"](left_out=False)["X"]),
    ),
    ("seen_before", "shared_rows", do.split_again, do.flattery),
    ("digits_probabilities", "output_activation", layers(Dense(64, "relu"), Dense(10))),
    ("out_of_reach", "targets_out_of_reach", layers(Dense(32, "relu"), Dense(1))),
    # the start
    ("wine_unscaled", "bad_start", do.scaled_inputs, do.first_loss),
    ("wine_dead", "bad_initial_weights", layers(Dense(32, "relu"), Dense(3))),
    ("wine_dead", "cannot_learn_a_batch", layers(Dense(32, "relu"), Dense(3))),
    # the training
    ("faint_signal_diverges", "diverged", with_(optimizer=fnn.SGD(0.05))),
    ("faint_signal_diverges", "diverged", with_(clip_norm=1.0)),
    ("diabetes_slow", "learning_rate_low", rate),
    ("digits_fast_adam", "learning_rate_high", rate),
    ("digits_fast", "learning_rate_high", rate),
    ("wave_fast", "learning_rate_high", rate),
    ("digits_slow", "weak_optimizer", with_(optimizer="adam")),
    ("digits_fast", "weak_optimizer", with_(optimizer="adam")),
    ("circles_fit", "too_few_epochs", with_(epochs=4 * do.EPOCHS)),
    ("digits_penalised", "too_much_regularisation", with_(l2=1e-4)),
    ("digits_frozen", "frozen_layers", do.unfrozen),
    ("digits_sigmoids", "needs_normalisation", do.relu_with_norm(10, 10)),
    (
        "digits_sigmoids",
        "needs_skips",
        layers(
            Dense(64, "sigmoid"),
            *[fnn.Residual(Dense(64, "sigmoid")) for _ in range(9)],
            Dense(10),
        ),
    ),
    ("digits_sigmoids", "too_deep", layers(*[Dense(64, "sigmoid")] * 2, Dense(10))),
    ("digits_dead", "worse_than_linear", layers(Dense(64, "relu"), Dense(10))),
    # the size
    ("digits_two_units", "too_narrow", layers(Dense(64, "relu"), Dense(10))),
    ("zigzag_one_layer", "too_shallow", layers(*[Dense(16, "relu")] * 2, Dense(1))),
    ("circles_linear", "no_hidden_layer", layers(Dense(64, "relu"), Dense(2))),
    # the layers
    ("digits_sigmoids", "vanishing_gradients", do.relu_with_norm(10, 10)),
    (
        "wine_exploding",
        "exploding_gradients",
        layers(*[Dense(32, "tanh")] * 30, Dense(3)),
    ),
    ("circles_zeros", "equal_units", layers(Dense(32, "tanh"), Dense(2))),
    ("wine_dead", "dead_units", layers(Dense(32, "relu"), Dense(3))),
    (
        "digits_saturated",
        "saturated_units",
        layers(*[Dense(64, "tanh")] * 4, Dense(10)),
    ),
    ("digits_slow", "small_updates", with_(optimizer=fnn.SGD(0.1))),
    ("digits_fast", "large_updates", with_(optimizer=fnn.SGD(0.1))),
    # where it is stuck
    ("circles_zeros", "stuck_at_saddle", layers(Dense(32, "tanh"), Dense(2))),
    ("circles_zeros", "stuck_at_saddle", do.escaped),
    (
        "circles_far_off",
        "stuck_on_plateau",
        layers(Dense(32, "relu"), Dense(1, "sigmoid")),
    ),
    ("leaping_over_the_valley", "oscillation", rate),
    (
        "leaping_over_the_valley",
        "oscillation",
        with_(schedule=fnn.Cosine(300)),
    ),
    # new rows
    (
        "diabetes_wide",
        "overfitting",
        with_(validation_split=0.2, early_stopping=True),
        do.loss_on_new_rows,
    ),
    ("diabetes_wide", "overfitting", do.with_dropout, do.loss_on_new_rows),
    ("digits_sixty_rows", "overfitting", do.more_rows, do.loss_on_new_rows),
    ("digits_shuffled", "no_signal", do.right_labels, do.loss_on_new_rows),
    ("digits_shifted", "input_shift", do.same_distribution, do.validation_loss),
    (
        "wine_unscaled_validation",
        "input_shift",
        do.same_distribution,
        do.validation_loss,
    ),
    ("rare_becomes_common", "label_shift", do.expected_shares, do.validation_loss),
    ("digits_other_labels", "other_relation", do.right_order, do.validation_loss),
    # the batch size
    ("noise_of_single_rows", "batch_too_small", batch),
    ("digits_one_batch", "batch_too_large", batch),
    ("cancer_small", "batch_too_large", batch, do.epochs_needed),
    ("digits_single_rows", "slow_batches", batch, do.seconds_taken),
]


EVERYDAY = {  # the rest takes a minute: FASTNN_THOROUGH=1, as in CI
    *("not_a_number", "rare_class", "column_left_out", "seen_before"),
    *("wine_dead", "wine_unscaled", "faint_signal_diverges", "circles_zeros"),
    *("digits_two_units", "circles_linear", "leaping_over_the_valley"),
    *("rare_becomes_common", "digits_shifted", "digits_other_labels"),
    *("noise_of_single_rows", "cancer_small", "digits_single_rows"),
}


@functools.cache
def report(name):
    if name in TASKS:
        return fnn.diagnose(**TASKS[name](), budget="20s", verbose=0)
    return next(c for c in CASES if c.make.__name__ == name).diagnose()


def given(name):
    if name in TASKS:
        return TASKS[name]()
    return next(c.make for c in CASES if c.make.__name__ == name)()


def test_every_finding_has_a_row():
    followed = {row[1] for row in ADVICE}
    assert followed | OUTSIDE.keys() == set(CODES)
    assert not followed & OUTSIDE.keys()
    assert {row[0] for row in ADVICE} >= EVERYDAY


def test_the_docs_have_every_code():
    page = (Path(__file__).parents[2] / "docs" / "diagnosis.md").read_text("utf-8")
    table = page.partition("## What it finds")[2].partition("\n## ")[0]
    assert re.findall(r"`(\w+)`", table) == list(CODES)


@pytest.mark.parametrize(
    ("name", "code", "follow", "blamed"),
    [
        pytest.param(
            *row[:3],
            *(row[3:] or (do.training_loss,)),
            id="-".join(row[:2]),
            marks=() if row[0] in EVERYDAY else pytest.mark.thorough,
        )
        for row in ADVICE
    ],
)
def test_following_advice_lowers_what_was_blamed(name, code, follow, blamed):
    task = given(name)
    finding = report(name)[code]
    before, after = blamed(task), blamed(follow(task, finding))
    assert after < 0.9 * before
