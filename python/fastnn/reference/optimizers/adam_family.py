"""Adam, AdamW and Adamax: a rate a parameter from two moments of its gradient.

All keep m, the running mean of the gradient g, and v, that of its square, both 0 before
step 1 and changed in place; with t = step::

    m <- beta1 m + (1 - beta1) g        v <- beta2 v + (1 - beta2) g^2

`weight_decay` adds weight_decay params to g; decoupled, it shrinks the parameters
themselves, params <- (1 - lr weight_decay) params (Loshchilov and Hutter, "Decoupled
weight decay regularization", 2019).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference.optimizers._common import (
    check_arrays,
    check_betas,
    check_not_negative,
    decayed_gradient,
    descent_gradient,
    moments,
    move_average,
    needed,
    root,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def adam_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> None:
    """Adam, and AMSGrad, which divides by the largest v so far.

    ::

        n = max(n, v) if amsgrad else v
        params -= lr / (1 - beta1^t) m / (sqrt(n) / sqrt(1 - beta2^t) + eps)

    Kingma and Ba, "Adam: a method for stochastic optimization" (2015); Reddi, Kale and
    Kumar, "On the convergence of Adam and beyond" (2018). In the form of
    ``torch.optim.Adam``; Keras has eps = 1e-7.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    exp_avg, exp_avg_sq : arrays like `params`
        m and v.
    max_exp_avg_sq : array like `params`, or None unless amsgrad
        n, 0 before step 1; changed in place.
    betas : (float, float)
        Decay rates of m and v, in [0, 1).
    eps : float
        Not negative.
    amsgrad, decoupled_weight_decay : bool

    Examples
    --------
    The first step has length lr, whatever the gradient's:

    >>> import numpy as np
    >>> from fastnn.reference import adam_update
    >>> params, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    >>> adam_update(params, np.array([1e-3, -1e3]), m, v, step=1, lr=0.5)
    >>> params.round(4)
    array([0.5, 1.5])
    """
    check_arrays(
        params,
        grads,
        step,
        exp_avg=exp_avg,
        exp_avg_sq=exp_avg_sq,
        max_exp_avg_sq=max_exp_avg_sq,
    )
    check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = check_betas(betas)
    m, v = moments(exp_avg, exp_avg_sq)
    why = "amsgrad is true"
    largest = needed("max_exp_avg_sq", max_exp_avg_sq, why) if amsgrad else None
    g = decayed_gradient(
        params, grads, lr, weight_decay, maximize, decoupled_weight_decay
    )
    move_average(m, g, 1.0 - beta1)
    move_average(v, g * g, 1.0 - beta2)
    if largest is not None:
        v = np.maximum(largest, v, out=largest)
    update = m / root(v, sqrt(1.0 - beta2**step), eps)
    update *= lr / (1.0 - beta1**step)
    params -= update


def adamw_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    max_exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
    maximize: bool = False,
) -> None:
    """AdamW: Adam with decoupled weight decay, 0.01 by default.

    params <- (1 - lr weight_decay) params, then `adam_update` without decay. Loshchilov
    and Hutter (2019), in the form of ``torch.optim.AdamW``; Keras decays by 4e-3.

    Parameters
    ----------
    params, grads, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, betas, eps
        As of `adam_update`.
    weight_decay : float, default 1e-2
    amsgrad, maximize : bool

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import adamw_update
    >>> params, m, v = np.ones(1), np.zeros(1), np.zeros(1)
    >>> adamw_update(params, np.zeros(1), m, v, step=1, lr=0.5, weight_decay=0.2)
    >>> params
    array([0.9])
    """
    adam_update(
        params,
        grads,
        exp_avg,
        exp_avg_sq,
        max_exp_avg_sq,
        step=step,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        maximize=maximize,
        decoupled_weight_decay=True,
    )


def adamax_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_inf: Array | None = None,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Adamax: Adam with the infinity norm in place of the root mean square.

    ::

        u <- max(beta2 u, |g| + eps)
        params -= lr / (1 - beta1^t) m / u

    Kingma and Ba (2015), section 7.1, in the form of ``torch.optim.Adamax``: eps is
    added to |g|, so that u is never 0. Keras has lr = 1e-3, and eps added to u.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    exp_avg, exp_inf : arrays like `params`
        m and u.
    betas, eps
        As of `adam_update`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import adamax_update
    >>> params, m, u = np.ones(2), np.zeros(2), np.zeros(2)
    >>> adamax_update(params, np.array([3.0, -0.1]), m, u, step=1, lr=0.5)
    >>> params.round(4)
    array([0.5, 1.5])
    """
    check_arrays(params, grads, step, exp_avg=exp_avg, exp_inf=exp_inf)
    check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = check_betas(betas)
    m = needed("exp_avg", exp_avg, "adamax averages in it")
    u = needed("exp_inf", exp_inf, "adamax divides by it")
    g = descent_gradient(params, grads, weight_decay, maximize)
    move_average(m, g, 1.0 - beta1)
    u *= beta2
    np.maximum(u, np.abs(g) + eps, out=u)
    params -= lr / (1.0 - beta1**step) * m / u
