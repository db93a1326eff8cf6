"""Stage "start": the loss before training, and whether a batch is learnt by heart."""

from __future__ import annotations

import contextlib
import time

import numpy as np

from fastnn.callbacks import EpochInfo
from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis import variants
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.trial import Rows
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
    chance = max(lab.trivial, lab.loss_of_zeros())
    notes.measurements["start"] = {
        "loss": first,
        "trivial_loss": lab.trivial,
        "share": lab.share(first),
        "untrained": untrained,
    }
    if not np.ptp(lab.train.y, axis=0).any():
        notes.find(
            "constant_targets",
            "severe",
            "constant outputs fit the targets already",
            cause="data",
            trivial_loss=lab.trivial,
            advice="there is nothing to learn: check how y was made",
        )
    elif untrained and first - lab.floor > at.BAD_START * (chance - lab.floor):
        notes.find(
            "bad_start",
            "warning",
            "the first loss is far above what constant outputs have",
            loss=first,
            trivial_loss=lab.trivial,
            loss_of_zero_outputs=chance,
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
    share, steps = learnt_by_heart(lab, net, rows)
    notes.measurements["by_heart"] = {"rows": len(rows), "share": share, "steps": steps}
    if share > at.BY_HEART and steps == _STEPS:
        notes.find(
            "cannot_learn_a_batch",
            "warning",
            f"{len(rows)} rows cannot be learnt by heart in {_STEPS} steps",
            share_left=share,
            rate=_RATE,
            advice="mend this first, on these few rows: the network is too small, its "
            "units are dead or saturated, or its outputs do not suit the loss",
        )


def learnt_by_heart(lab: Lab, net: Sequential, rows: Rows) -> tuple[float, int]:
    """Return the share of their own trivial loss that training on these rows leaves.

    And the steps that were made, fewer where time ran out.
    """
    end = time.perf_counter() + lab.slice
    steps = 0

    def watch(info: EpochInfo) -> bool:
        nonlocal steps
        steps = info.epoch + 1
        return time.perf_counter() > end

    with contextlib.suppress(DivergedError):
        net.fit(
            rows.X,
            rows.y,
            loss=lab.setup.loss,
            optimizer=Adam(_RATE),
            epochs=_STEPS,
            batch_size=len(rows),
            callbacks=[watch],
        )
    with lab.unit_of(rows):
        return lab.share(lab.loss_of(net, rows)), steps


def _few_rows(rows: Rows, random: np.random.Generator) -> Rows:
    index = random.permutation(len(rows))[: min(_ROWS, len(rows))]
    few = rows.take(index)
    return Rows(few.X, few.y, None)
