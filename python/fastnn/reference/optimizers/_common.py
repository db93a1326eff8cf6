"""What all update rules share: checks, slots, and the first line of each."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.reference._checks import check_floating, check_range, check_shape

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def check_arrays(params: Array, grads: Array, step: int, **slots: Array | None) -> None:
    """Raise unless all arrays have one dtype and shape, and steps count from 1."""
    check_floating(params=params, grads=grads, **slots)
    check_shape("grads", grads, params.shape, "the shape of params")
    for name, slot in slots.items():
        if slot is not None:
            check_shape(name, slot, params.shape, "the shape of params")
    check_range("step", step, step >= 1, "at least 1: steps count from 1")


def check_not_negative(**hyper: float) -> None:
    """Raise ValueError for a hyper-parameter that is negative or not finite."""
    for name, value in hyper.items():
        check_range(name, value, 0.0 <= value < inf, "at least 0 and finite")


def check_decay(**hyper: float) -> None:
    """Raise ValueError for a decay rate outside [0, 1)."""
    for name, value in hyper.items():
        check_range(name, value, 0.0 <= value < 1.0, "in [0, 1)")


def check_betas(betas: tuple[float, float]) -> tuple[float, float]:
    """Return the two decay rates of the moments, checked."""
    beta1, beta2 = betas
    check_decay(**{"betas[0]": beta1, "betas[1]": beta2})
    return beta1, beta2


def needed(name: str, slot: Array | None, why: str) -> Array:
    """Return the slot, or raise ValueError because the setting needs it."""
    if slot is None:
        msg = f"slot {name} is None, but {why}: see init_slots"
        raise ValueError(msg)
    return slot


def descent_gradient(
    params: Array, grads: Array, weight_decay: float, maximize: bool
) -> Array:
    """Return +-grads + weight_decay params, a new array unless nothing changes it."""
    g = -grads if maximize else grads
    return g if weight_decay == 0.0 else g + weight_decay * params


def move_average(average: Array, value: Array, weight: float) -> None:
    """Move average <- (1 - weight) average + weight value, in place."""
    average *= 1.0 - weight
    average += weight * value


def root(square: Array, divisor: float, eps: float) -> Any:
    """Return sqrt(square) / divisor + eps, one temporary."""
    result = np.sqrt(square)
    result /= divisor
    result += eps
    return result


def moments(exp_avg: Array | None, exp_avg_sq: Array | None) -> tuple[Array, Array]:
    """Return the slots of Adam's family, which none of it can do without."""
    m = needed("exp_avg", exp_avg, "it holds the first moment")
    v = needed("exp_avg_sq", exp_avg_sq, "it holds the second moment")
    return m, v


def decayed_gradient(
    params: Array,
    grads: Array,
    lr: float,
    weight_decay: float,
    maximize: bool,
    decoupled: bool,
) -> Array:
    """Apply weight decay, to the parameters if decoupled, and return g."""
    if decoupled and weight_decay != 0.0:
        params *= 1.0 - lr * weight_decay
        weight_decay = 0.0
    return descent_gradient(params, grads, weight_decay, maximize)
