"""The compiled rule of an update's settings, and its slots."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from fastnn._config import unknown_name
from fastnn.optim import RULES, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastnn._native import core
    from fastnn.kernels._types import Array


def init_slots(rule: str, params: Array, **hyper: Any) -> tuple[Array | None, ...]:
    """Return a rule's slots before step 1, None where its settings need no slot.

    Parameters
    ----------
    rule : str
        The name of an optimizer, such as "adam".
    params : float32 or float64 array, any shape
    **hyper
        The settings the update will be given. `momentum`, `centered` and `amsgrad`
        decide which slots exist; `lr` is the first value of rprop's step_size,
        `initial_accumulator_value` of adagrad's sum; all else starts at 0.

    Returns
    -------
    tuple of arrays like `params`, or None

    Raises
    ------
    ValueError
        Unknown rule, or a setting out of range.
    TypeError
        `params` of another type, or an unknown setting.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.init_slots("rprop", np.ones(2), lr=0.5)
    (array([0., 0.]), array([0.5, 0.5]))
    >>> kernels.init_slots("sgd", np.ones(2))
    (None,)
    """
    if not isinstance(rule, str):
        raise TypeError(
            "rule must be the name of an optimizer such as 'adam', got "
            f"{type(rule).__name__}"
        )
    if rule not in RULES:
        raise unknown_name("rule", rule, RULES)
    optimizer = RULES[rule]
    slots = optimizer(**hyper).init(params).slots
    return tuple(slots.get(name) for name in optimizer.slot_names)


def _new_rule(optimizer: type[Rule], *settings: Any) -> core.UpdateRule:
    names = (f.name for f in dataclasses.fields(optimizer) if f.name != "lr")
    return optimizer(**dict(zip(names, settings, strict=True))).rule


_cached_rule: Callable[..., core.UpdateRule] = functools.lru_cache(
    maxsize=256, typed=True
)(_new_rule)


def rule_of(optimizer: type[Rule], *settings: Any) -> core.UpdateRule:
    """Return the rule of these settings (all but lr), checked once, not every step."""
    try:
        return _cached_rule(optimizer, *settings)
    except TypeError:  # wrong, or a list, which cannot be a key
        pass
    return _new_rule(optimizer, *settings)
