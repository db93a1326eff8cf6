"""Learning-rate schedules: pure functions of the step.

``schedule.at(step, lr)`` is the rate at `step` = 0, 1, 2, ... for an optimizer whose
own rate is `lr`. A schedule counts epochs unless ``per="step"``: then it counts
updates. It holds no state, so any step can be asked for at any time, and a resumed run
needs only the number of its step. Beyond its end a schedule keeps its last value.

`ReduceOnPlateau` alone depends on the run: on the scores after each epoch.
"""

from __future__ import annotations

from fastnn.schedules.base import Schedule
from fastnn.schedules.cycles import CosineRestarts, Cyclic, OneCycle
from fastnn.schedules.decay import Exponential, InverseTime, MultiStep, StepDecay
from fastnn.schedules.plateau import ReduceOnPlateau
from fastnn.schedules.ramps import Cosine, Linear, Polynomial
from fastnn.schedules.warmup import Warmup

__all__ = [
    "SCHEDULES",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "InverseTime",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "Schedule",
    "StepDecay",
    "Warmup",
]

SCHEDULES: dict[str, type[Schedule]] = {
    schedule.kind: schedule
    for schedule in (
        StepDecay,
        MultiStep,
        Exponential,
        InverseTime,
        Linear,
        Polynomial,
        Cosine,
        CosineRestarts,
        OneCycle,
        Cyclic,
        Warmup,
        ReduceOnPlateau,
    )
}
"""The schedules by name."""
