"""NAdam and RAdam: Adam that looks ahead, and Adam that waits until it knows.

Moments m and v, and weight decay, as in `fastnn.reference.optimizers.adam_family`.
"""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING

from fastnn.reference.optimizers._common import (
    check_arrays,
    check_betas,
    check_not_negative,
    decayed_gradient,
    moments,
    move_average,
    root,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def nadam_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    mu_product: float | None = None,
) -> None:
    """NAdam: Adam that looks ahead along its momentum, as Nesterov's does.

    With mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and P_t = mu_1 ... mu_t::

        r = sqrt(v / (1 - beta2^t)) + eps
        params -= lr (1 - mu_t) / (1 - P_t) g / r
                + lr mu_{t+1} / (1 - P_{t+1}) m / r

    Dozat, "Incorporating Nesterov momentum into Adam" (2016), in the form of
    ``torch.optim.NAdam``, which holds P_t in torch's default dtype: compare with
    float64 as the default.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    exp_avg, exp_avg_sq : arrays like `params`
        m and v.
    betas, eps
        As of `adam_update`.
    momentum_decay : float, default 4e-3
        Not negative.
    decoupled_weight_decay : bool
    mu_product : float, optional
        P_t, with this step's factor; computed from step 1 on if None.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import nadam_update
    >>> params, m, v = np.ones(1), np.zeros(1), np.zeros(1)
    >>> nadam_update(params, np.array([2.0]), m, v, step=1, betas=(0.5, 0.5), lr=0.5)
    >>> round(float(params[0]), 4)
    0.4333
    """
    check_arrays(params, grads, step, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    check_not_negative(
        lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay
    )
    beta1, beta2 = check_betas(betas)
    m, v = moments(exp_avg, exp_avg_sq)
    g = decayed_gradient(
        params, grads, lr, weight_decay, maximize, decoupled_weight_decay
    )
    move_average(m, g, 1.0 - beta1)
    move_average(v, g * g, 1.0 - beta2)

    def mu(t: int) -> float:
        return beta1 * (1.0 - 0.5 * float(0.96 ** (t * momentum_decay)))

    if mu_product is None:
        mu_product = prod(mu(t) for t in range(1, step + 1))
    ahead = mu(step + 1)
    update = lr * (1.0 - mu(step)) / (1.0 - mu_product) * g
    update += lr * ahead / (1.0 - mu_product * ahead) * m
    params -= update / root(v, sqrt(1.0 - beta2**step), eps)


def radam_update(
    params: Array,
    grads: Array,
    exp_avg: Array | None = None,
    exp_avg_sq: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> None:
    """RAdam: Adam that trusts v only once enough gradients have been seen.

    With R = 2 / (1 - beta2) - 1 and rho = R - 2 t beta2^t / (1 - beta2^t)::

        rho > 5:   c = sqrt((rho - 4) (rho - 2) R / ((R - 4) (R - 2) rho))
                   params -= lr c m / (1 - beta1^t) sqrt(1 - beta2^t) / (sqrt(v) + eps)
        else:      params -= lr m / (1 - beta1^t)

    Liu et al., "On the variance of the adaptive learning rate and beyond" (2020), in
    the form of ``torch.optim.RAdam``: the bound is 5 where the paper has 4, and eps is
    added before the correction of v.

    Parameters
    ----------
    params, grads, exp_avg, exp_avg_sq, step, lr, betas, eps, weight_decay, maximize
        As of `adam_update`.
    decoupled_weight_decay : bool

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import radam_update
    >>> params, m, v = np.ones(1), np.zeros(1), np.zeros(1)
    >>> radam_update(params, np.array([2.0]), m, v, step=1, lr=0.25)
    >>> params.round(6).tolist()
    [0.5]
    """
    check_arrays(params, grads, step, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = check_betas(betas)
    m, v = moments(exp_avg, exp_avg_sq)
    g = decayed_gradient(
        params, grads, lr, weight_decay, maximize, decoupled_weight_decay
    )
    move_average(m, g, 1.0 - beta1)
    move_average(v, g * g, 1.0 - beta2)
    rate = lr / (1.0 - beta1**step)
    rectification = _rectification(beta2, step)
    if rectification is None:
        params -= rate * m
    else:
        rate *= rectification * sqrt(1.0 - beta2**step)
        params -= rate * m / root(v, 1.0, eps)


def _rectification(beta2: float, step: int) -> float | None:
    """Return RAdam's c, or None while the variance is not to be trusted."""
    limit = 2.0 / (1.0 - beta2) - 1.0
    rho = limit - 2.0 * step * beta2**step / (1.0 - beta2**step)
    if rho <= 5.0:
        return None
    return sqrt(
        (rho - 4.0) * (rho - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * rho)
    )
