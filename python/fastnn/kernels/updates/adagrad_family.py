"""Updates scaled by past squared gradients: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import step_number
from fastnn.kernels.updates._rule import rule_of
from fastnn.optim import Adadelta, Adagrad, RMSprop
from fastnn.optim.base import rate

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


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
    Formula, settings and papers: `fastnn.Adagrad`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adagrad_update(w, g, np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(
        Adagrad, lr_decay, weight_decay, initial_accumulator_value, eps, maximize
    )
    rule.update(params, grads, (sum,), step_number(step), rate(lr))


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
    Formula, settings and papers: `fastnn.RMSprop`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.rmsprop_update(w, g, np.zeros(2), step=1, lr=0.1, alpha=0.75)
    >>> w.round(6)
    array([0.8, 2.2])
    """
    rule = rule_of(RMSprop, alpha, eps, weight_decay, momentum, centered, maximize)
    rule.update(
        params,
        grads,
        (square_avg, momentum_buffer, grad_avg),
        step_number(step),
        rate(lr),
    )


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
    Formula, settings and papers: `fastnn.Adadelta`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adadelta_update(w, g, np.zeros(2), np.zeros(2), step=1)
    >>> w.round(6)
    array([0.996838, 2.003162])
    """
    rule = rule_of(Adadelta, rho, eps, weight_decay, maximize)
    rule.update(params, grads, (square_avg, acc_delta), step_number(step), rate(lr))
