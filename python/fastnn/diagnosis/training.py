"""Stage "training": whether the training loss is high, and what makes it low.

Hung-yi Lee's order of questions: a training loss that a linear model, a shallower
network or another optimizer beats is a failure of optimization; one that only a wider
or deeper network beats is model bias. An alternative counts only where it is better on
rows held out as well: a lower training loss alone may be noise learnt by heart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis import variants
from fastnn.diagnosis.alternative import Alternative
from fastnn.diagnosis.alternatives import optimizations, sizes
from fastnn.diagnosis.codes import Code
from fastnn.diagnosis.far import linear_run
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.trial import Run

__all__ = ["explain", "run_main"]

_RESERVE = 0.25  # of the budget, for the stages to come
_SLOW = (
    "too_few_epochs",
    "learning_rate_low",
    "batch_too_large",
)  # what more time would mend as well


_Win: TypeAlias = tuple[Alternative, Run]


def run_main(case: Case) -> None:
    """Train as the user does, and a linear model as well as can be."""
    lab, notes = case.lab, case.notes
    case.main = main = lab.run("your training", with_ending=True)
    case.linear = linear_run(
        lab, lab.drawn(variants.linear(lab.net.layers, lab.outputs))
    )
    notes.measurements["training"] = {
        "curve": main.curve,
        "held_out_curve": main.held_curve,
        "training": main.train,
        "held_out": main.held,
        "linear_model": case.linear.train,
        "epochs": main.epochs,
        "rows": len(lab.train),
        "seconds_an_epoch": main.seconds / max(1, main.epochs),
        "trivial_loss": lab.trivial,
        "diverged": main.diverged,
    }


def explain(case: Case) -> None:
    """Where the training loss is high, find what lowers it and blame what differs."""
    main = case.trained
    if _training(main) <= at.HIGH_LOSS:
        return
    wins = [
        (alternative, run)
        for alternative, run in _tried(case, optimizations(case))
        if _is_better(main, run)
    ]
    best = min([main, *case.tried], key=_training)  # whether it won by enough or not
    larger: list[_Win] = []
    if _training(best) > at.HIGH_LOSS:
        larger = [
            (alternative, run)
            for alternative, run in _tried(case, sizes(case, best))
            if _is_better(best, run)
        ]
    case.notes.measurements["alternatives"] = {
        run.name: run.told for run in [main, *case.tried]
    }
    gained = _training(main) - _training(best)
    largest = min((run for _, run in larger), key=_training, default=best)
    size_decides = _training(best) - _training(largest) >= max(at.GAIN, gained)
    _report(case, wins, main, decides=not size_decides)
    _report(case, larger, best, decides=size_decides)
    _report_linear(case, size_decides=size_decides)
    if main.diverged and not wins:
        case.notes.find(
            "diverged",
            "severe",
            "the training diverges",
            cause="optimization",
            epochs=main.epochs,
            advice="lower the learning rate, standardise X and y, or clip_norm=1.0",
        )


def _report(case: Case, wins: list[_Win], reference: Run, *, decides: bool) -> None:
    """Tell what won; severe is what won by about as much as the best."""
    main, notes = case.trained, case.notes
    # How many epochs a probe has was ours to say, unless the user did.
    ours = set(_SLOW) if case.lab.setup.epochs is None and _needs_time(wins) else set()
    most = max((_training(reference) - _training(run) for _, run in wins), default=0.0)
    told: set[Code] = set()
    for alternative, run in sorted(wins, key=lambda win: _training(win[1])):
        near = _training(reference) - _training(run) > most * at.NEAR_BEST
        if alternative.code in told:
            continue
        told.add(alternative.code)
        notes.drop(alternative.code)  # what was suspected is measured now
        notes.find(
            alternative.code,
            "severe"
            if near and decides and alternative.code not in ours
            else "warning",
            alternative.title,
            cause=alternative.cause if decides else None,
            **_compared(main, run),
            **alternative.evidence,
            advice=alternative.advice,
        )


def _compared(main: Run, run: Run) -> dict[str, Any]:
    word = _word(run.name)
    return {
        "training": main.train,
        f"training_{word}": run.train,
        "held_out_at_best": main.best_held,
        f"held_out_at_best_{word}": run.best_held,
    }


def _needs_time(wins: list[_Win]) -> bool:
    """Whether more epochs do as well as anything that was tried, or well enough."""
    longer = [_training(run) for found, run in wins if found.code == "too_few_epochs"]
    best = min((_training(run) for _, run in wins), default=0.0)
    return bool(longer) and longer[0] <= max(at.HIGH_LOSS, best + at.GAIN)


def _report_linear(case: Case, *, size_decides: bool) -> None:
    """Tell that a linear model does better, where the network could be one."""
    main, linear = case.trained, case.linear
    if linear is None or size_decides or not _is_better(main, linear):
        return
    if not variants.can_be_linear(case.lab.net.layers, case.lab.outputs):
        return
    explained = case.notes.has("too_few_epochs") and case.lab.setup.epochs is None
    case.notes.find(
        "worse_than_linear",
        "warning" if explained else "severe",
        "a linear model does better than this network, on training and new rows",
        cause="optimization",
        **_compared(main, linear),
        advice="the network can do what a linear model does: mend its training "
        "(learning rate, start, normalisation, fewer layers) before its size",
    )


def _tried(
    case: Case, alternatives: Iterator[Alternative]
) -> Iterator[tuple[Alternative, Run]]:
    for alternative in alternatives:
        if case.lab.clock.left <= _RESERVE * case.lab.clock.budget:
            return
        run = alternative.run()
        case.tried.append(run)
        yield alternative, run


def _is_better(than: Run, run: Run) -> bool:
    """Whether it trains far better, and not by learning noise.

    A training that leaps about passes by good weights but does not end there: what ends
    at such weights need not be better on new rows than its best epoch.
    """
    leaps = _training(than) - min(than.curve, default=math.inf) >= at.GAIN
    needed = -at.STILL if leaps else at.GAIN_ON_NEW_ROWS
    return (
        _training(than) - _training(run) >= at.GAIN
        and min(than.best_held, at.DIVERGED) - run.best_held >= needed
    )


def _training(run: Run) -> float:
    """Return its training share, however badly it ended."""
    if run.diverged or not math.isfinite(run.train):
        return at.DIVERGED
    return min(run.train, at.DIVERGED)


def _word(name: str) -> str:
    return name.replace(" ", "_").replace(".", "_").lower()
