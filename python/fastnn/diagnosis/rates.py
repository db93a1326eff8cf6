"""Stage "learning rate": a range test from the user's start."""

from __future__ import annotations

import dataclasses

from fastnn.diagnosis.notes import Case
from fastnn.errors import DivergedError
from fastnn.optim import LBFGS

__all__ = ["look"]

_STEPS = 100


def look(case: Case) -> None:
    """Find the rate at which the loss falls fastest, on a copy."""
    try:
        from fastnn.model_selection import lr_find
    except ImportError:
        return
    lab, notes = case.lab, case.notes
    optimizer = lab.setup.optimizer
    if isinstance(optimizer, LBFGS):
        return  # its line search finds the step
    lab.say("learning rates")
    try:
        found = lr_find(
            lab.net.copy(),
            lab.train.X,
            lab.train.y,
            loss=lab.setup.loss,
            optimizer=optimizer,
            batch_size=lab.setup.batch_size,
            sample_weight=lab.train.weight,
            steps=_STEPS,
        )
    except DivergedError:
        return
    case.suggested_rate = found.suggestion
    notes.measurements["learning_rate"] = {
        "rates": list(found.lrs),
        "losses": list(found.smoothed),
        "suggestion": found.suggestion,
        "used": getattr(optimizer, "lr", None),
    }


def with_rate(optimizer: object, lr: float) -> object:
    """Return the optimizer with another learning rate."""
    return dataclasses.replace(optimizer, lr=lr)  # type: ignore[type-var]
