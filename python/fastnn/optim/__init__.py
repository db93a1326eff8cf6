"""Optimizers: ``torch.optim``'s names, settings, defaults and trajectories.

In the formulas `w` are the parameters, `g` their gradient (its negative with
``maximize=True``), `t` = 1, 2, ... the step; products and roots are elementwise. Weight
decay adds ``weight_decay * w`` to `g` (L2), unless it is called decoupled: then it
shrinks `w` by the factor ``1 - lr * weight_decay`` and leaves `g` alone.

All step scalars (bias corrections and their kin) are computed in float64 whatever the
dtype of the arrays. torch's arguments that choose an implementation (``foreach``,
``fused``, ``capturable``, ``differentiable``) have no counterpart.
"""

from __future__ import annotations

from fastnn.optim.adagrad_family import Adadelta, Adagrad, RMSprop
from fastnn.optim.adam_family import Adam, Adamax, AdamW
from fastnn.optim.adam_variants import NAdam, RAdam
from fastnn.optim.base import Optimizer, OptimizerState, Rule
from fastnn.optim.gradient_descent import ASGD, SGD
from fastnn.optim.lbfgs import LBFGS, MinimizeResult
from fastnn.optim.sign_family import Lion, Rprop

__all__ = [
    "ASGD",
    "LBFGS",
    "OPTIMIZERS",
    "RULES",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "MinimizeResult",
    "NAdam",
    "Optimizer",
    "OptimizerState",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Rule",
]

RULES: dict[str, type[Rule]] = {
    rule.kind: rule
    for rule in (
        SGD,
        Adagrad,
        RMSprop,
        Adadelta,
        Adam,
        AdamW,
        Adamax,
        NAdam,
        RAdam,
        Rprop,
        ASGD,
        Lion,
    )
}
"""The update rules by name."""

OPTIMIZERS: dict[str, type[Optimizer]] = {**RULES, LBFGS.kind: LBFGS}
"""All optimizers by name."""
