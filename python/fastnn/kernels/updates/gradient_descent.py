"""Updates whose step is proportional to the gradient: SGD, ASGD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import step_number
from fastnn.kernels.updates._rule import rule_of
from fastnn.optim import ASGD, SGD
from fastnn.optim.base import rate

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


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
    Formula, settings and papers: `fastnn.SGD`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.sgd_update(w, g, step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(SGD, momentum, dampening, weight_decay, nesterov, maximize)
    rule.update(params, grads, (momentum_buffer,), step_number(step), rate(lr))


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
    Formula, settings and papers: `fastnn.ASGD`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.asgd_update(w, g, np.zeros(2), step=1, lr=0.5, lambd=0.0)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(ASGD, lambd, alpha, t0, weight_decay, maximize)
    rule.update(params, grads, (ax,), step_number(step), rate(lr))
