"""Trainings with a known cause of failure, and healthy ones: what `diagnose` must tell.

Each case is a function that returns what is passed to `diagnose`, under the verdict
that is right. Everything is seeded. ``bench/diagnosis_cases.py`` writes the table of
docs/diagnosis_cases.md from them.
"""

from diagnosis.cases import (
    data,
    healthy,
    mismatch,
    model_bias,
    optimization,
    overfitting,
)
from diagnosis.cases.registry import REGISTERED, Case

__all__ = ["CASES", "KINDS", "Case"]

_MODULES = (healthy, optimization, model_bias, overfitting, mismatch, data)

KINDS = tuple(module.__name__.rpartition(".")[2] for module in _MODULES)
CASES: list[Case] = sorted(REGISTERED, key=lambda case: KINDS.index(case.verdict))
