"""Stage "learning rate": a range test from the user's start."""

from __future__ import annotations

from fastnn.diagnosis.notes import Case
from fastnn.errors import DivergedError
from fastnn.model_selection import lr_find
from fastnn.optim import LBFGS

__all__ = ["look"]

_STEPS, _FEWEST = 100, 30


def look(case: Case) -> None:
    """Find the rate at which the loss falls fastest, on a copy."""
    lab, notes = case.lab, case.notes
    optimizer = lab.setup.optimizer
    if isinstance(optimizer, LBFGS):
        return  # its line search finds the step
    lab.say("learning rates")
    size = min(lab.setup.batch_size, len(lab.train))
    steps = min(_STEPS, int(lab.slice / (lab.seconds_a_row * size)))
    if steps < _FEWEST:
        return
    try:
        found = lr_find(
            lab.net,
            lab.train.X,
            lab.train.y,
            loss=lab.setup.loss,
            optimizer=optimizer,
            batch_size=lab.setup.batch_size,
            sample_weight=lab.train.weight,
            steps=steps,
            **lab.setup.trainer,
        )
    except DivergedError:
        return  # even the smallest rate is too large
    case.suggested_rate = found.suggestion
    notes.measurements["learning_rate"] = {
        "rates": found.lrs.tolist(),
        "losses": found.smoothed.tolist(),
        "suggestion": found.suggestion,
        "used": getattr(optimizer, "lr", None),
    }
