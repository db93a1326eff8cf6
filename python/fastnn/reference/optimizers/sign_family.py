"""Rules that use the sign of the gradient only: Rprop, Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import check_range
from fastnn.reference.optimizers._common import (
    check_arrays,
    check_betas,
    check_not_negative,
    descent_gradient,
    move_average,
    needed,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def rprop_update(
    params: Array,
    grads: Array,
    prev: Array | None = None,
    step_size: Array | None = None,
    *,
    step: int,
    lr: float = 1e-2,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    maximize: bool = False,
) -> None:
    """Resilient propagation: only the gradient's sign, a step length a parameter.

    ::

        s = sign(g prev)
        step_size <- clip(step_size e, step_sizes),
            e = etas[1] if s > 0, etas[0] if s < 0, else 1
        g <- 0 where s < 0
        params -= step_size sign(g);   prev <- g

    Riedmiller and Braun, "A direct adaptive method for faster backpropagation
    learning: the RPROP algorithm" (1993), in the form of ``torch.optim.Rprop``: a
    change of sign shortens the step and skips one move (iRprop-). For full batches.

    Parameters
    ----------
    params, grads, step, maximize
        As of `sgd_update`.
    prev : array like `params`
        Last gradient, 0 before step 1; changed in place.
    step_size : array like `params`
        `lr` before step 1 (`init_slots`); changed in place.
    lr : float, default 1e-2
        Length of the first step; it acts through `init_slots` alone.
    etas : (float, float)
        Factors that shorten (in (0, 1)) and lengthen (> 1) the step.
    step_sizes : (float, float)
        Shortest and longest step.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import init_slots, rprop_update
    >>> params = np.array([1.0])
    >>> slots = init_slots("rprop", params, lr=0.1)
    >>> rprop_update(params, np.array([5.0]), *slots, step=1)
    >>> params
    array([0.9])
    """
    check_arrays(params, grads, step, prev=prev, step_size=step_size)
    check_not_negative(lr=lr)
    shorten, lengthen = etas
    check_range("etas[0]", shorten, 0.0 < shorten < 1.0, "in (0, 1)")
    check_range("etas[1]", lengthen, lengthen > 1.0, "greater than 1")
    prev = needed("prev", prev, "rprop compares signs with it")
    step_size = needed("step_size", step_size, "rprop adapts it")
    g = descent_gradient(params, grads, 0.0, maximize)
    sign = np.sign(g * prev)
    step_size *= np.where(sign > 0.0, lengthen, np.where(sign < 0.0, shorten, 1.0))
    np.clip(step_size, step_sizes[0], step_sizes[1], out=step_size)
    np.copyto(prev, np.where(sign < 0.0, 0.0, g))
    params -= step_size * np.sign(prev)


def lion_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    *,
    step: int,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Lion: the sign of an interpolated momentum, with decoupled weight decay.

    ::

        params <- (1 - lr weight_decay) params
        params -= lr sign(betas[0] m + (1 - betas[0]) g)
        m <- betas[1] m + (1 - betas[1]) g

    Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2.
    ``torch.optim`` has no Lion; the paper advises a rate 3 to 10 times smaller, and a
    decay as many times larger, than AdamW's.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    exp_avg : array like `params`
        m, 0 before step 1; changed in place.
    betas : (float, float)
        Decay rates of the update and of the momentum, in [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import lion_update
    >>> params, m = np.array([1.0, 1.0]), np.zeros(2)
    >>> lion_update(params, np.array([5.0, -0.1]), m, step=1, lr=0.5)
    >>> params
    array([0.5, 1.5])
    """
    check_arrays(params, grads, step, exp_avg=exp_avg)
    check_not_negative(lr=lr, weight_decay=weight_decay)
    beta1, beta2 = check_betas(betas)
    m = needed("exp_avg", exp_avg, "lion always has momentum")
    g = descent_gradient(params, grads, 0.0, maximize)
    direction = beta1 * m
    direction += (1.0 - beta1) * g
    params *= 1.0 - lr * weight_decay
    params -= lr * np.sign(direction)
    move_average(m, g, 1.0 - beta2)
