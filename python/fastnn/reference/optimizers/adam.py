<<<<<<< HEAD
"""Adam, AdamW and Adamax: a rate a parameter from two moments of its gradient.
=======
"""Rules with two moments of the gradient: Adam, AdamW, Adamax, NAdam, RAdam.
>>>>>>> kernels

All keep m, the running mean of the gradient g, and v, that of its square, both 0 before
step 1 and changed in place; with t = step::

    m <- beta1 m + (1 - beta1) g        v <- beta2 v + (1 - beta2) g^2

`weight_decay` adds weight_decay params to g; decoupled, it shrinks the parameters
themselves, params <- (1 - lr weight_decay) params (Loshchilov and Hutter, "Decoupled
weight decay regularization", 2019).
"""

from __future__ import annotations

<<<<<<< HEAD
from math import sqrt
=======
from math import prod, sqrt
>>>>>>> kernels
from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference.optimizers._common import (
    check_arrays,
    check_betas,
    check_not_negative,
<<<<<<< HEAD
    decayed_gradient,
    descent_gradient,
    moments,
=======
    descent_gradient,
>>>>>>> kernels
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
<<<<<<< HEAD
    m, v = moments(exp_avg, exp_avg_sq)
    why = "amsgrad is true"
    largest = needed("max_exp_avg_sq", max_exp_avg_sq, why) if amsgrad else None
    g = decayed_gradient(
        params, grads, lr, weight_decay, maximize, decoupled_weight_decay
    )
    move_average(m, g, 1.0 - beta1)
    move_average(v, g * g, 1.0 - beta2)
    if largest is not None:
=======
    m, v = _moments(exp_avg, exp_avg_sq)
    g = _decayed(params, grads, lr, weight_decay, maximize, decoupled_weight_decay)
    move_average(m, g, 1.0 - beta1)
    move_average(v, g * g, 1.0 - beta2)
    if amsgrad:
        largest = needed("max_exp_avg_sq", max_exp_avg_sq, "amsgrad is true")
>>>>>>> kernels
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
<<<<<<< HEAD
=======


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
    m, v = _moments(exp_avg, exp_avg_sq)
    g = _decayed(params, grads, lr, weight_decay, maximize, decoupled_weight_decay)
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
    m, v = _moments(exp_avg, exp_avg_sq)
    g = _decayed(params, grads, lr, weight_decay, maximize, decoupled_weight_decay)
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


def _moments(exp_avg: Array | None, exp_avg_sq: Array | None) -> tuple[Array, Array]:
    m = needed("exp_avg", exp_avg, "it holds the first moment")
    v = needed("exp_avg_sq", exp_avg_sq, "it holds the second moment")
    return m, v


def _decayed(
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
>>>>>>> kernels
