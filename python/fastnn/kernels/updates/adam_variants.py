"""Adam that looks ahead and Adam that waits: NAdam, RAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import step_number
from fastnn.kernels.updates._rule import rule_of
from fastnn.optim import NAdam, RAdam
from fastnn.optim.base import rate

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


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
    Formula, settings and papers: `fastnn.NAdam`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.nadam_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.1)
    >>> w.round(6)
    array([0.894355, 2.105645])
    """
    rule = rule_of(
        NAdam,
        betas,
        eps,
        weight_decay,
        momentum_decay,
        decoupled_weight_decay,
        maximize,
    )
    rule.update(
        params, grads, (exp_avg, exp_avg_sq), step_number(step), rate(lr), mu_product
    )


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
    Formula, settings and papers: `fastnn.RAdam`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.radam_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(RAdam, betas, eps, weight_decay, decoupled_weight_decay, maximize)
    rule.update(params, grads, (exp_avg, exp_avg_sq), step_number(step), rate(lr))
