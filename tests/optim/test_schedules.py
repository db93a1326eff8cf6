"""Schedules: against torch.optim.lr_scheduler, by hand, at their ends, and errors."""

import importlib.util
import json
import pickle
from pathlib import Path

import pytest

import fastnn as fnn
from fastnn._native import core
from fastnn.schedules import SCHEDULES

GOLDENS = Path(__file__).parents[1] / "goldens"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, GOLDENS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recorder = _load("record_schedules")
RECORDED = json.loads(recorder.FILE.read_text())
SOURCES = ["recorded"]
if importlib.util.find_spec("torch"):  # the same cases, by torch itself
    SOURCES.append("live")

every_source = pytest.mark.parametrize("source", SOURCES)


def _rates(schedule, count, lr=recorder.LR):
    return [schedule.at(step, lr) for step in range(count)]


@every_source
@pytest.mark.parametrize("case", RECORDED["schedules"], ids=lambda c: c[2])
def test_schedule_is_torchs(case, source):
    name, settings, theirs, their_settings, count, wanted = case
    if source == "live":
        wanted = recorder.torch_rates(theirs, their_settings, count)
    schedule = getattr(fnn, name)(**settings)
    assert _rates(schedule, count) == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def _plateau_rates(settings, scores):
    schedule = fnn.ReduceOnPlateau(monitor="score", **settings)
    rate = core.LearningRate(schedule.to_native(), recorder.LR)
    assert rate.monitor == "score"
    rates = []
    for epoch, score in enumerate(scores):
        rate.end_epoch(score)
        rates.append(rate.at(epoch + 1, 0))
    return rates


@every_source
@pytest.mark.parametrize("case", RECORDED["plateaus"])
def test_plateau_is_torchs(case, source):
    settings, scores, wanted = case
    if source == "live":
        wanted = recorder.torch_plateau(settings, scores)
    assert _plateau_rates(settings, scores) == pytest.approx(wanted, rel=1e-12)
    assert len(set(wanted)) > 2, "the case does not show anything"


def test_recorded_tables_are_the_recorders():
    assert [case[:-1] for case in RECORDED["schedules"]] == recorder.CASES
    assert [case[:-1] for case in RECORDED["plateaus"]] == recorder.PLATEAUS


# Worked by hand: what torch does not have, and what lies beyond torch's end.
BY_HAND = [
    (fnn.InverseTime(0.5), [1, 1 / 1.5, 0.5, 0.4, 1 / 3]),
    (fnn.Warmup(4), [0.25, 0.5, 0.75, 1, 1, 1]),
    (fnn.Warmup(1), [1, 1]),
    (fnn.Warmup(2, fnn.Linear(1.0, 0.0, 2)), [0.5, 1, 1, 0.5, 0, 0]),
    (fnn.Warmup(2, fnn.Warmup(2, fnn.Exponential(0.5))), [0.5, 1, 0.5, 1, 1, 0.5]),
    (fnn.Cosine(2, min_lr=0.2), [1, 0.6, 0.2, 0.2, 0.2]),
    (fnn.Linear(0.5, 1.5, 2), [0.5, 1, 1.5, 1.5]),
    (fnn.Polynomial(2), [1, 0.5, 0, 0]),
    (fnn.OneCycle(3, max_lr=2.0, pct_start=2 / 3, div=4, final_div=5), [0.5, 2, 0.1]),
    (fnn.OneCycle(3, 2.0, 2 / 3, 4, 5), [0.5, 2, 0.1, 0.1, 0.1]),
    (fnn.OneCycle(3, 2.0, pct_start=1.0, div=4, final_div=5), [0.5, 1.25, 0.1]),
    (fnn.OneCycle(2, 2.0, pct_start=0.5, div=4, final_div=5), [2, 0.1]),
    (fnn.OneCycle(1, 2.0, div=4, final_div=5), [0.1, 0.1]),
    (fnn.CosineRestarts(1, mult=1), [1, 1, 1]),
    (fnn.Cyclic(0.0, 1.0, up=1, down=2), [0, 1, 0.5, 0, 1, 0.5]),
    (fnn.StepDecay(2, gamma=2.0), [1, 1, 2, 2, 4]),
]


@pytest.mark.parametrize(("schedule", "wanted"), BY_HAND)
def test_by_hand(schedule, wanted):
    assert _rates(schedule, len(wanted), lr=1.0) == pytest.approx(wanted, abs=1e-15)


# One of each kind, for the tests that walk them all.
ONE_OF_EACH = [
    fnn.StepDecay(3),
    fnn.MultiStep([2, 4]),
    fnn.Exponential(0.9),
    fnn.InverseTime(0.1),
    fnn.Linear(0.1, 1.0, 5),
    fnn.Polynomial(5),
    fnn.Cosine(5),
    fnn.CosineRestarts(2, mult=2),
    fnn.OneCycle(7, max_lr=1.0),
    fnn.Cyclic(0.1, 1.0, up=3),
    fnn.Warmup(3, fnn.Cosine(5)),
]

every_schedule = pytest.mark.parametrize("schedule", ONE_OF_EACH, ids=lambda s: s.kind)


def test_table_has_every_schedule():
    kinds = {schedule.kind for schedule in ONE_OF_EACH}
    assert kinds | {"reduce_on_plateau"} == set(SCHEDULES)


@every_schedule
def test_rates_are_finite_and_pure(schedule):
    forward = _rates(schedule, 40)
    assert all(0 <= rate < 10 for rate in forward)
    assert [schedule.at(t, recorder.LR) for t in reversed(range(40))] == forward[::-1]
    assert 0 <= schedule.at(10**12, recorder.LR) < 10


@every_schedule
def test_run_follows_epochs_or_steps(schedule):
    rates = _rates(schedule, 12)
    per_epoch = core.LearningRate(schedule.to_native(), recorder.LR)
    assert [per_epoch.at(t, 1000) for t in range(12)] == rates
    native = _per_step(schedule.to_native())
    per_step = core.LearningRate(native, recorder.LR)
    assert [per_step.at(1000, t) for t in range(12)] == rates
    assert per_step.monitor is None


def _per_step(native):
    native = {**native, "per": "step"}
    if native.get("then"):
        native["then"] = _per_step(native["then"])
    return native


@every_schedule
def test_pickles_and_compares(schedule):
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301
    assert hash(schedule) == hash(pickle.loads(pickle.dumps(schedule)))  # noqa: S301


def test_without_schedule_the_rate_is_constant():
    rate = core.LearningRate(None, 0.25)
    assert rate.at(0, 0) == rate.at(7, 1000) == 0.25
    assert rate.monitor is None


def test_plateau_chooses_its_direction_by_the_monitor():
    falling, rising = [0.9, 0.8, 0.7, 0.6], [0.6, 0.7, 0.8, 0.9]
    for monitor, good, bad in (
        ("val_loss", falling, rising),
        ("val_mae", falling, rising),
        ("val_accuracy", rising, falling),
        ("val_auc", rising, falling),
        ("val_r2", rising, falling),
    ):
        native = fnn.ReduceOnPlateau(monitor, patience=0).to_native()
        kept, lowered = core.LearningRate(native, 1.0), core.LearningRate(native, 1.0)
        for better, worse in zip(good, bad, strict=True):
            kept.end_epoch(better)
            lowered.end_epoch(worse)
        assert kept.at(4, 0) == 1.0, monitor
        assert lowered.at(4, 0) == pytest.approx(1e-3), monitor


def test_plateau_takes_nan_for_no_improvement():
    native = fnn.ReduceOnPlateau(patience=1).to_native()
    rate = core.LearningRate(native, 1.0)
    for score in (1.0, float("nan"), float("nan")):
        rate.end_epoch(score)
    assert rate.at(3, 0) == pytest.approx(0.1)


# (call, exception, words of the message)
ERRORS = [
    (lambda: fnn.StepDecay(0), ValueError, ["StepDecay", "step_size", ">= 1", "0"]),
    (lambda: fnn.StepDecay(2.5), TypeError, ["step_size", "integer", "2.5"]),
    (lambda: fnn.StepDecay(2, gamma=0), ValueError, ["gamma", "> 0"]),
    (lambda: fnn.StepDecay(2, per="batch"), ValueError, ["per", "'step'", "'batch'"]),
    (lambda: fnn.StepDecay(2, per=3), TypeError, ["per", "string", "3"]),
    (lambda: fnn.MultiStep(()), ValueError, ["milestones", "at least one"]),
    (lambda: fnn.MultiStep((3, 3)), ValueError, ["milestones[1]", "above 3"]),
    (lambda: fnn.MultiStep((0, 3)), ValueError, ["milestones[0]", ">= 1"]),
    (lambda: fnn.MultiStep(3), TypeError, ["milestones", "tuple", "3"]),
    (lambda: fnn.MultiStep((3, 4.5)), TypeError, ["milestones[1]", "integer"]),
    (lambda: fnn.Exponential(-1.0), ValueError, ["gamma", "-1"]),
    (lambda: fnn.InverseTime(-1.0), ValueError, ["decay", "-1"]),
    (lambda: fnn.Linear(-1.0, 1.0, 5), ValueError, ["start_factor"]),
    (lambda: fnn.Linear(1.0, float("nan"), 5), ValueError, ["end_factor", "nan"]),
    (lambda: fnn.Linear(1.0, 0.0, 0), ValueError, ["total"]),
    (lambda: fnn.Polynomial(5, power=0.0), ValueError, ["power"]),
    (lambda: fnn.Cosine(0), ValueError, ["total"]),
    (lambda: fnn.Cosine(5, min_lr=-1.0), ValueError, ["min_lr"]),
    (lambda: fnn.CosineRestarts(5, mult=0), ValueError, ["mult"]),
    (lambda: fnn.OneCycle(5, max_lr=0.0), ValueError, ["max_lr"]),
    (lambda: fnn.OneCycle(5, 1.0, pct_start=1.5), ValueError, ["pct_start", "1.5"]),
    (lambda: fnn.OneCycle(5, 1.0, div=0), ValueError, ["div"]),
    (lambda: fnn.Cyclic(1.0, 0.5, up=2), ValueError, ["max_lr", "base_lr", "0.5"]),
    (lambda: fnn.Cyclic(0.1, 0.5, up=2, down=0), ValueError, ["down"]),
    (lambda: fnn.Warmup(0), ValueError, ["steps"]),
    (lambda: fnn.Warmup(3, "cosine"), TypeError, ["then", "schedule", "'cosine'"]),
    (lambda: fnn.Warmup(3, fnn.ReduceOnPlateau()), ValueError, ["then", "Plateau"]),
    (
        lambda: fnn.Warmup(3, fnn.Cosine(5), per="step"),
        ValueError,
        ["then", "per epoch", "per step"],
    ),
    (lambda: fnn.ReduceOnPlateau(factor=1.0), ValueError, ["factor", "(0, 1)"]),
    (lambda: fnn.ReduceOnPlateau(mode="up"), ValueError, ["mode", "'up'"]),
    (lambda: fnn.ReduceOnPlateau(patience=-1), ValueError, ["patience"]),
    (lambda: fnn.ReduceOnPlateau(threshold_mode="x"), ValueError, ["threshold_mode"]),
    (lambda: fnn.ReduceOnPlateau(""), ValueError, ["monitor"]),
    (lambda: fnn.ReduceOnPlateau().at(1, 0.1), ValueError, ["ReduceOnPlateau"]),
    (lambda: fnn.Cosine(5).at(-1, 0.1), ValueError, ["step", "-1"]),
    (lambda: fnn.Cosine(5).at(1, float("nan")), ValueError, ["lr", "nan"]),
    (lambda: fnn.Cosine(5).at("1", 0.1), TypeError, ["step", "'1'"]),
]


@pytest.mark.parametrize(("call", "exception", "words"), ERRORS)
def test_error(call, exception, words):
    with pytest.raises(exception) as error:
        call()
    missing = [word for word in words if word not in str(error.value)]
    assert not missing, error.value


def test_restarts_far_away_end():
    """Where a period is less than the spacing of floats, too."""
    schedule = fnn.CosineRestarts(10)
    assert schedule.at(10**18, 0.1) == schedule.at(0, 0.1)
    assert 0 <= fnn.CosineRestarts(10, mult=2).at(10**18, 0.1) <= 0.1
