"""Updates by the moments of the gradient: Adam, AdamW, Adamax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import step_number
from fastnn.kernels.updates._rule import rule_of
from fastnn.optim import Adam, Adamax, AdamW
from fastnn.optim.base import rate

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


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
    Formula, settings and papers: `fastnn.Adam`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adam_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(
        Adam, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay
    )
    rule.update(
        params,
        grads,
        (exp_avg, exp_avg_sq, max_exp_avg_sq),
        step_number(step),
        rate(lr),
    )


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
    Formula, settings and papers: `fastnn.AdamW`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adamw_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.495, 2.49 ])
    """
    rule = rule_of(AdamW, betas, eps, weight_decay, amsgrad, maximize)
    rule.update(
        params,
        grads,
        (exp_avg, exp_avg_sq, max_exp_avg_sq),
        step_number(step),
        rate(lr),
    )


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
    Formula, settings and papers: `fastnn.Adamax`; errors: `fastnn.kernels.updates`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, g = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    >>> kernels.adamax_update(w, g, np.zeros(2), np.zeros(2), step=1, lr=0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """
    rule = rule_of(Adamax, betas, eps, weight_decay, maximize)
    rule.update(params, grads, (exp_avg, exp_inf), step_number(step), rate(lr))
