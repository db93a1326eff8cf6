"""What holds a training: steps too long for the valley, and what is none of that."""

import dataclasses

import numpy as np
import pytest

import fastnn as fnn
from fastnn.diagnosis.trial import Run


def labels(n=800):
    """Return labels that a linear model tells with errors: no loss is near 0."""
    random = np.random.default_rng(16)
    X = random.standard_normal((n, 6))
    seen = X @ [1.0, -1.0, 0.5, 2.0, 0.0, 1.0] + 2 * random.standard_normal(n)
    return X, (seen > 0).astype(int)


def diagnosed(optimizer, **options):
    given = {
        "loss": "binary_cross_entropy",
        "batch_size": 800,
        "epochs": 300,
        "budget": "20s",
        "verbose": 0,
        **options,
    }
    net = fnn.Sequential(fnn.Dense(1))
    return fnn.diagnose(net, *labels(), optimizer=optimizer, **given)


def test_steps_that_leap():
    report = diagnosed(fnn.SGD(50.0))
    finding = report["oscillation"]
    evidence = finding.evidence
    assert evidence["learning_rate"] == 50
    assert evidence["largest_stable_sharpness"] == pytest.approx(2 / 50)
    assert evidence["sharpness"] > 2 / 50
    assert evidence["training_at_a_lower_rate"] < 0.5 * evidence["training"]
    assert float(finding.advice.partition("lr=")[2].split()[0]) < 50


@pytest.mark.parametrize("schedule", [fnn.Cosine(375), fnn.Exponential(0.99)])
def test_the_rate_of_the_last_step_counts(schedule):
    report = diagnosed(fnn.SGD(50.0), schedule=schedule)
    assert "oscillation" not in report


def test_momentum_bears_more_curvature():
    """Beyond 2 / lr, but below 2 (1 + momentum) / lr: it has converged."""
    report = diagnosed(fnn.SGD(16.0, momentum=0.9))
    point = report.measurements["point"]
    assert 2 / 16 < point["sharpness"] < point["bound"] == pytest.approx(3.8 / 16)
    assert "oscillation" not in report


def test_adam_lives_at_the_edge_of_its_stability():
    """Cohen et al. 2022: the scaled sharpness stays at 38 / lr."""
    point = diagnosed(fnn.Adam(4.0), epochs=1000).measurements["point"]
    assert point["bound"] == pytest.approx(38 / 4)
    assert point["sharpness"] == pytest.approx(38 / 4, rel=0.2)
    assert point["lambda_max"] < 1  # of the plain Hessian: it tells nothing here


def test_no_bound_no_word():
    report = diagnosed(fnn.SGD(50.0), clip_norm=100.0)
    assert "oscillation" not in report
    assert "bound" not in report.measurements.get("point", {})


def run_of(curve):
    empty = {f.name: None for f in dataclasses.fields(Run)}
    return Run(**{**empty, "curve": curve})


@pytest.mark.parametrize(
    ("curve", "still"),
    [
        ([], True),
        ([1.0, 0.5, 0.2], True),  # too short to tell
        ([1.0, 0.8, 0.6, 0.4], False),
        (list(np.linspace(1, 0.5, 40)), False),
        (list(np.linspace(1, 0.99, 40)), True),
        ([1.0] * 30 + [0.9] * 10, False),
        ([0.5, 2.0, 0.7, 3.0] * 10, True),  # leaps, and comes no closer
        (list(np.exp(-np.arange(40.0))), True),
    ],
)
def test_a_training_at_rest(curve, still):
    assert run_of(curve).still == still
