"""Update rules, in place on arrays of any shape: ``torch.optim``'s, in NumPy.

``{rule}_update(params, grads, *slots, step=t, **hyper)`` changes `params` and the slots
and returns None. Slots stand in torch's order, under torch's names, `step` counts from
1, and scalar state is a function of the step alone. `init_slots` makes the slots.
Trajectories agree with torch in float64 to rounding. `lbfgs_minimize` stands apart: it
evaluates a function itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import check_floating, unknown_name
from fastnn.reference.optimizers.adagrad_family import (
    adadelta_update,
    adagrad_update,
    rmsprop_update,
)
from fastnn.reference.optimizers.adam_family import (
    adam_update,
    adamax_update,
    adamw_update,
)
from fastnn.reference.optimizers.adam_variants import nadam_update, radam_update
from fastnn.reference.optimizers.gradient_descent import asgd_update, sgd_update
from fastnn.reference.optimizers.lbfgs import lbfgs_minimize
from fastnn.reference.optimizers.sign_family import lion_update, rprop_update

if TYPE_CHECKING:
    from fastnn.reference._checks import Array

# Names of the slots, in order.
SLOTS: dict[str, tuple[str, ...]] = {
    "sgd": ("momentum_buffer",),
    "adagrad": ("sum",),
    "rmsprop": ("square_avg", "momentum_buffer", "grad_avg"),
    "adadelta": ("square_avg", "acc_delta"),
    "adam": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "adamax": ("exp_avg", "exp_inf"),
    "nadam": ("exp_avg", "exp_avg_sq"),
    "radam": ("exp_avg", "exp_avg_sq"),
    "rprop": ("prev", "step_size"),
    "asgd": ("ax",),
    "lion": ("exp_avg",),
}
_EXISTS_IF = {
    "momentum_buffer": "momentum",
    "grad_avg": "centered",
    "max_exp_avg_sq": "amsgrad",
}
_STARTS_AT = {
    "sum": ("initial_accumulator_value", 0.0),
    "step_size": ("lr", 1e-2),
}


def init_slots(rule: str, params: Array, **hyper: object) -> tuple[Array | None, ...]:
    """Return a rule's slots before step 1, None where its settings need no slot.

    Parameters
    ----------
    rule : str
        "sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "adamax", "nadam",
        "radam", "rprop", "asgd" or "lion".
    params : float32 or float64 array, any shape
    **hyper
        The settings the update will be given: `momentum`, `centered` and `amsgrad`
        decide which slots exist; `lr` is the first value of rprop's step_size,
        `initial_accumulator_value` of adagrad's sum; all else starts at 0.

    Returns
    -------
    tuple of arrays like `params`, or None

    Raises
    ------
    ValueError
        Unknown rule.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import init_slots
    >>> init_slots("rprop", np.ones(2), lr=0.5)
    (array([0., 0.]), array([0.5, 0.5]))
    >>> init_slots("sgd", np.ones(2))
    (None,)
    """
    if rule not in SLOTS:
        raise unknown_name("rule", rule, SLOTS)
    check_floating(params=params)
    return tuple(_first_value(name, params, hyper) for name in SLOTS[rule])


def _first_value(name: str, params: Array, hyper: dict[str, object]) -> Array | None:
    if name in _EXISTS_IF and not hyper.get(_EXISTS_IF[name]):
        return None
    setting, default = _STARTS_AT.get(name, ("", 0.0))
    return np.full_like(params, hyper.get(setting, default))


__all__ = [
    "SLOTS",
    "adadelta_update",
    "adagrad_update",
    "adam_update",
    "adamax_update",
    "adamw_update",
    "asgd_update",
    "init_slots",
    "lbfgs_minimize",
    "lion_update",
    "nadam_update",
    "radam_update",
    "rmsprop_update",
    "rprop_update",
    "sgd_update",
]
