"""The optimizers' updates as plain functions of NumPy arrays.

``{rule}_update(params, grads, *slots, step=t, **settings)`` takes step t = 1, 2, ... of
a rule, in place on `params` and the slots, and returns None. Names and order are those
of `fastnn.reference`, the readable specification; formula, settings, defaults and
papers stand with the optimizer of the same name: `fastnn.Adam` for `adam_update`.

All arrays share one shape, any, and one dtype, float32 or float64. `init_slots` makes
the slots; those that the settings do not use may be None. `lr` is the rate of this
step. Wrong types raise TypeError; settings out of range, a slot that is missing or of
another shape, and arrays that are read-only or overlap raise ValueError, with nothing
changed.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from fastnn._config import nearest
from fastnn.optim import (
    ASGD,
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from fastnn.optim.base import rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastnn._native import core

Array: TypeAlias = "NDArray[Any]"

__all__ = [
    "adadelta_update",
    "adagrad_update",
    "adam_update",
    "adamax_update",
    "adamw_update",
    "asgd_update",
    "init_slots",
    "lion_update",
    "nadam_update",
    "radam_update",
    "rmsprop_update",
    "rprop_update",
    "sgd_update",
]


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
    if rule not in OPTIMIZERS:
        raise ValueError(f"rule: unknown name {rule!r}{nearest(rule, OPTIMIZERS)}")
    optimizer = OPTIMIZERS[rule]
    slots = optimizer(**hyper).init(params).slots
    return tuple(slots.get(name) for name in optimizer.slot_names)


def _new_rule(optimizer: type[Optimizer], *settings: Any) -> core.UpdateRule:
    names = (f.name for f in dataclasses.fields(optimizer) if f.name != "lr")
    return optimizer(**dict(zip(names, settings, strict=True))).rule


_cached_rule: Callable[..., core.UpdateRule] = functools.lru_cache(
    maxsize=256, typed=True
)(_new_rule)


def _rule(optimizer: type[Optimizer], *settings: Any) -> core.UpdateRule:
    """Return the rule of these settings (all but lr), checked once, not every step."""
    try:
        return _cached_rule(optimizer, *settings)
    except TypeError:  # wrong, or a list, which cannot be a key
        pass
    return _new_rule(optimizer, *settings)


def sgd_update(
    params: Array,
    grads: Array,
    momentum_buffer: Array | None = None,
    *,
    step: int,
    lr: float = 0.001,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.SGD`, in place on `params` and the slots.

    `momentum_buffer` is needed with ``momentum > 0``; step 1 overwrites it.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.sgd_update(w, g, step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(SGD, momentum, dampening, weight_decay, nesterov, maximize)
    rule.update(params, grads, (momentum_buffer,), step, rate(lr))


def adagrad_update(
    params: Array,
    grads: Array,
    sum: Array | None = None,  # noqa: A002 - torch's name of the slot
    *,
    step: int,
    lr: float = 0.01,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.Adagrad`, in place on `params` and the slots.

    `sum` starts at `initial_accumulator_value`, which is not used afterwards.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adagrad_update(w, g, np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(
        Adagrad, lr_decay, weight_decay, initial_accumulator_value, eps, maximize
    )
    rule.update(params, grads, (sum,), step, rate(lr))


def rmsprop_update(
    params: Array,
    grads: Array,
    square_avg: Array | None = None,
    momentum_buffer: Array | None = None,
    grad_avg: Array | None = None,
    *,
    step: int,
    lr: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.RMSprop`, in place on `params` and the slots.

    `square_avg` is always needed, `momentum_buffer` with ``momentum > 0``, `grad_avg`
    with ``centered=True``; all start at 0.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.rmsprop_update(w, g, np.zeros(2), step=1, lr=0.1, alpha=0.75)
    >>> w.round(6)
    array([0.8, 2.2])

    """
    rule = _rule(RMSprop, alpha, eps, weight_decay, momentum, centered, maximize)
    rule.update(params, grads, (square_avg, momentum_buffer, grad_avg), step, rate(lr))


def adadelta_update(
    params: Array,
    grads: Array,
    square_avg: Array | None = None,
    acc_delta: Array | None = None,
    *,
    step: int,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-06,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.Adadelta`, in place on `params` and the slots.

    The slots start at 0.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adadelta_update(w, g, np.zeros(2), np.zeros(2), step=1)
    >>> w.round(6)
    array([0.996838, 2.003162])

    """
    rule = _rule(Adadelta, rho, eps, weight_decay, maximize)
    rule.update(params, grads, (square_avg, acc_delta), step, rate(lr))


def adam_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> None:
    """Take one step of `fastnn.Adam`, in place on `params` and the slots.

    The slots start at 0; `max_exp_avg_sq` is needed with ``amsgrad=True``.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adam_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(
        Adam, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay
    )
    rule.update(params, grads, (exp_avg, exp_avg_sq, max_exp_avg_sq), step, rate(lr))


def adamw_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.01,
    amsgrad: bool = False,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.AdamW`, in place on `params` and the slots.

    The slots start at 0; `max_exp_avg_sq` is needed with ``amsgrad=True``.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adamw_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.495, 2.49 ])

    """
    rule = _rule(AdamW, betas, eps, weight_decay, amsgrad, maximize)
    rule.update(params, grads, (exp_avg, exp_avg_sq, max_exp_avg_sq), step, rate(lr))


def adamax_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_inf: Array | None = None,
    *,
    step: int,
    lr: float = 0.002,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.Adamax`, in place on `params` and the slots.

    The slots start at 0.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adamax_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(Adamax, betas, eps, weight_decay, maximize)
    rule.update(params, grads, (exp_avg, exp_inf), step, rate(lr))


def nadam_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 0.002,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    momentum_decay: float = 0.004,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    mu_product: float | None = None,
) -> None:
    """Take one step of `fastnn.NAdam`, in place on `params` and the slots.

    The slots start at 0. `mu_product` is the product of the momenta mu_1 ... mu_t; None
    computes it from `step`.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.nadam_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.1)
    >>> w.round(6)
    array([0.894355, 2.105645])

    """
    rule = _rule(
        NAdam,
        betas,
        eps,
        weight_decay,
        momentum_decay,
        decoupled_weight_decay,
        maximize,
    )
    rule.update(params, grads, (exp_avg, exp_avg_sq), step, rate(lr), mu_product)


def radam_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.RAdam`, in place on `params` and the slots.

    The slots start at 0.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.radam_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(RAdam, betas, eps, weight_decay, decoupled_weight_decay, maximize)
    rule.update(params, grads, (exp_avg, exp_avg_sq), step, rate(lr))


def rprop_update(
    params: Array,
    grads: Array,
    prev: Array | None = None,
    step_size: Array | None = None,
    *,
    step: int,
    lr: float = 0.01,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-06, 50.0),
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.Rprop`, in place on `params` and the slots.

    `prev` starts at 0, `step_size` at `lr`, which is not used afterwards.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.rprop_update(w, g, np.zeros(2), np.full(2, 0.5), step=1)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(Rprop, etas, step_sizes, maximize)
    rule.update(params, grads, (prev, step_size), step, rate(lr))


def asgd_update(
    params: Array,
    grads: Array,
    ax: Array | None = None,
    *,
    step: int,
    lr: float = 0.01,
    lambd: float = 0.0001,
    alpha: float = 0.75,
    t0: float = 1000000.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.ASGD`, in place on `params` and the slots.

    `ax` becomes `params` at step 1.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.asgd_update(w, g, np.zeros(2), step=1, lr=0.5, lambd=0.0)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(ASGD, lambd, alpha, t0, weight_decay, maximize)
    rule.update(params, grads, (ax,), step, rate(lr))


def lion_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    *,
    step: int,
    lr: float = 0.0001,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Take one step of `fastnn.Lion`, in place on `params` and the slots.

    `exp_avg` starts at 0.
    The head of this module tells the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.lion_update(w, g, np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])

    """
    rule = _rule(Lion, betas, weight_decay, maximize)
    rule.update(params, grads, (exp_avg,), step, rate(lr))
