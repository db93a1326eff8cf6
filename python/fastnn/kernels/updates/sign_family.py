"""Updates by the sign of the gradient: Rprop, Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import step_number
from fastnn.kernels.updates._rule import rule_of
from fastnn.optim import Lion, Rprop
from fastnn.optim.base import rate

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


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
    Formula, settings and papers: `fastnn.Rprop`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.rprop_update(w, g, np.zeros(2), np.full(2, 0.5), step=1)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(Rprop, etas, step_sizes, maximize)
    rule.update(params, grads, (prev, step_size), step_number(step), rate(lr))


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
    Formula, settings and papers: `fastnn.Lion`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.lion_update(w, g, np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(Lion, betas, weight_decay, maximize)
    rule.update(params, grads, (exp_avg,), step_number(step), rate(lr))
