"""Stage "stuck": what kind of point a training with a high loss has come to.

Small gradient: a critical point, and the Hessian tells which. Large gradient and no
progress: steps too long for the curvature, which oscillate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from fastnn.curvature import CriticalPoint, critical_point
from fastnn.curvature._objective import Objective
from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.landscape import MOST_PARAMETERS, MOST_STEPS
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.stability import bound_of, sharpness
from fastnn.diagnosis.trial import Rows, Run
from fastnn.losses import CustomLoss
from fastnn.sequential import Sequential

__all__ = ["look"]

_ROWS = 500
_LOWER = (4, 16)  # parts of the rate that are tried


def look(case: Case) -> None:
    """Classify where the user's training stands, if it no longer moves."""
    lab, main = case.lab, case.trained
    if main.diverged or main.train <= at.HIGH_LOSS or not main.still:
        return
    net = main.net
    if net.n_parameters > MOST_PARAMETERS or isinstance(lab.setup.loss, CustomLoss):
        return
    if lab.clock.left < lab.clock.budget * 0.1:
        return
    lab.say("where it is stuck")
    rows = lab.train.take(lab.random.permutation(len(lab.train))[:_ROWS])
    penalties = {k: v for k, v in lab.setup.trainer.items() if k in ("l1", "l2")}
    point = critical_point(
        net,
        rows.X,
        rows.y,
        loss=lab.setup.loss,
        sample_weight=rows.weight,
        max_steps=MOST_STEPS,
        n_threads=lab.setup.trainer.get("n_threads"),
        **penalties,
    )
    case.notes.measurements["point"] = {
        "kind": point.kind,
        "gradient_norm": point.gradient_norm,
        "lambda_min": point.lambda_min,
        "lambda_max": point.lambda_max,
        "minimum_ratio": point.minimum_ratio,
    }
    evidence = {
        "gradient_norm": point.gradient_norm,
        "lambda_min": point.lambda_min,
        "lambda_max": point.lambda_max,
    }
    if point.kind in ("saddle", "maximum"):
        case.notes.find(
            "stuck_at_saddle",
            "warning",
            f"training has come to rest at a {point.kind}, not a minimum",
            cause="optimization",
            **evidence,
            minimum_ratio=point.minimum_ratio,
            advice='start anew from init="auto", with momentum or Adam. From here '
            "fnn.critical_point(net, X, y, loss=...).escape() leads down along the "
            "negative curvature, and once more wherever training rests at a next one",
        )
    elif point.kind == "plateau":
        case.notes.find(
            "stuck_on_plateau",
            "warning",
            "training has come to rest where gradient and curvature are both near 0",
            cause="optimization",
            **evidence,
            advice="its units are dead or saturated: start anew with smaller weights, "
            "ReLU-like activations or BatchNorm",
        )
    elif point.kind == "not_critical":
        _judge_steps(case, rows, point)


def _judge_steps(case: Case, rows: Rows, point: CriticalPoint) -> None:
    """Compare the curvature with what the optimizer's last step could bear."""
    lab, end = case.lab, case.trained.ending
    bound = None if end is None else bound_of(lab.setup, lab.net.layers, end)
    if bound is None or end is None:
        return
    if bound.scale is None:
        sharpest = point.lambda_max + bound.decay
    else:
        objective = _objective(lab, case.trained.net, rows)
        sharpest = sharpness(objective, bound, MOST_STEPS)
    case.notes.measurements["point"] |= {"sharpness": sharpest, "bound": bound.largest}
    times = sharpest / bound.largest
    if times <= at.OSCILLATION:
        return
    lr = end.settings["lr"]
    calmer, run = min(_calmer(case, lr), key=lambda tried: tried[1].train)
    if not run.train < case.trained.train - at.STILL:
        return  # not what keeps it from falling
    case.notes.find(
        "oscillation",
        "warning",
        "the gradient is large but the loss no longer falls: steps leap over the "
        "valley",
        cause="optimization",
        gradient_norm=point.gradient_norm,
        learning_rate=lr,
        sharpness=sharpest,
        largest_stable_sharpness=bound.largest,
        times_too_sharp=times,
        training=case.trained.train,
        training_at_a_lower_rate=run.train,
        advice=f"lr={calmer:.2g} leads on from there, or let the rate decay: "
        "schedule=fnn.Cosine(epochs)",
    )


def _calmer(case: Case, lr: float) -> Iterator[tuple[float, Run]]:
    """Yield how the training goes on from there at lower rates.

    Not just below the bound: steps that leap come to rest where it is nearly met.
    """
    rule: Any = case.lab.setup.optimizer
    for part in _LOWER:
        optimizer = dataclasses.replace(rule, lr=lr / part)
        net = case.trained.net.copy()
        yield (
            lr / part,
            case.lab.run(f"at a rate of {lr / part:.2g}", net, optimizer=optimizer),
        )


def _objective(lab: Lab, net: Sequential, rows: Rows) -> Objective:
    return Objective(
        "diagnose",
        net,
        rows.X,
        rows.y,
        loss=lab.setup.loss,
        sample_weight=rows.weight,
        l1=lab.setup.trainer.get("l1", 0.0),
        l2=lab.setup.trainer.get("l2", 0.0),
        n_threads=lab.setup.trainer.get("n_threads"),
        trained_only=True,
    )
