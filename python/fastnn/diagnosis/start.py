"""Stage "start": the loss before training, and whether a batch is learnt by heart."""

from __future__ import annotations

import numpy as np

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis import variants
from fastnn.diagnosis.lab import Rows
from fastnn.diagnosis.notes import Case
from fastnn.errors import DivergedError
from fastnn.optim import Adam
from fastnn.sequential import Sequential

__all__ = ["look"]

_ROWS, _STEPS = 32, 400
_RATE = 3e-3


def look(case: Case) -> None:
    """Compare the first loss with chance, and learn a few rows by heart."""
    lab, notes = case.lab, case.notes
    lab.say("the start")
    first = lab.loss_of(lab.net, lab.train)
    untrained = lab.net._native.progress[1] == 0  # noqa: SLF001
    notes.measurements["start"] = {
        "loss": first,
        "trivial_loss": lab.trivial,
        "share": lab.share(first),
        "untrained": untrained,
    }
    if lab.trivial - lab.floor <= 1e-12 * max(1.0, abs(lab.trivial)):
        notes.find(
            "constant_targets",
            "severe",
            "constant outputs fit the targets already",
            cause="data",
            trivial_loss=lab.trivial,
            advice="there is nothing to learn: check how y was made",
        )
    elif untrained and lab.share(first) > at.BAD_START:
        notes.find(
            "bad_start",
            "warning",
            "the first loss is far above what constant outputs have",
            loss=first,
            trivial_loss=lab.trivial,
            advice='start smaller (init="auto"), standardise X and, for numbers, y; '
            "or clip_norm=1.0 through the first steps",
        )
    _by_heart(case)


def _by_heart(case: Case) -> None:
    lab, notes = case.lab, case.notes
    rows = _few_rows(lab.train, lab.random)
    net = lab.net.copy()
    layers = variants.without_dropout(lab.net.layers)
    if layers != lab.net.layers:
        net = lab.drawn(layers)
    share = learnt_by_heart(net, lab.setup.loss, rows, lab.trivial, lab.floor)
    notes.measurements["by_heart"] = {"rows": len(rows), "share": share}
    if share > at.BY_HEART:
        notes.find(
            "cannot_learn_a_batch",
            "warning",
            f"{len(rows)} rows cannot be learnt by heart in {_STEPS} steps",
            share_left=share,
            rate=_RATE,
            advice="mend this first, on these few rows: the network is too small, its "
            "units are dead or saturated, or its outputs do not suit the loss",
        )


def learnt_by_heart(
    net: Sequential, loss: object, rows: Rows, trivial: float, floor: float
) -> float:
    """Return the share of the trivial loss left after training on these rows alone."""
    try:
        net.fit(
            rows.X,
            rows.y,
            loss=loss,  # type: ignore[arg-type]
            optimizer=Adam(_RATE),
            epochs=_STEPS,
            batch_size=len(rows),
        )
    except DivergedError:
        return float("inf")
    left = net.evaluate(rows.X, rows.y, loss=loss)["loss"]  # type: ignore[arg-type]
    return float((left - floor) / (trivial - floor)) if trivial > floor else 0.0


def _few_rows(rows: Rows, random: np.random.Generator) -> Rows:
    index = random.permutation(len(rows))[: min(_ROWS, len(rows))]
    few = rows.take(index)
    return Rows(few.X, few.y, None)
