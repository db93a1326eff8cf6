"""Rules that divide by the size of past gradients: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import check_range
from fastnn.reference.optimizers._common import (
    check_arrays,
    check_not_negative,
    descent_gradient,
    move_average,
    needed,
    root,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def adagrad_update(
    params: Array,
    grads: Array,
    sum: Array | None = None,  # noqa: A002 - torch's name of the slot
    *,
    step: int,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> None:
    """Adagrad: the rate of a parameter falls with the sum of its squared gradients.

    ::

        sum += g^2
        params -= lr / (1 + (step - 1) lr_decay) g / (sqrt(sum) + eps)

    Duchi, Hazan and Singer, "Adaptive subgradient methods" (2011), in the form of
    ``torch.optim.Adagrad``. Keras starts the sum at 0.1 and has lr = 1e-3, eps = 1e-7.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    sum : array like `params`
        `initial_accumulator_value` before step 1 (`init_slots`); changed in place.
    lr_decay, eps : float
        Not negative.
    initial_accumulator_value : float, default 0
        It acts through `init_slots` alone.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import adagrad_update
    >>> params, total = np.array([1.0]), np.array([9.0])
    >>> adagrad_update(params, np.array([4.0]), total, step=2, lr=0.5)
    >>> total.tolist(), params.round(6).tolist()
    ([25.0], [0.6])
    """
    check_arrays(params, grads, step, sum=sum)
    check_not_negative(
        lr=lr,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
    )
    total = needed("sum", sum, "adagrad accumulates in it")
    g = descent_gradient(params, grads, weight_decay, maximize)
    total += g * g
    rate = lr / (1.0 + (step - 1) * lr_decay)
    params -= rate * g / root(total, 1.0, eps)


def rmsprop_update(
    params: Array,
    grads: Array,
    square_avg: Array | None = None,
    momentum_buffer: Array | None = None,
    grad_avg: Array | None = None,
    *,
    step: int,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> None:
    """RMSprop: divide by the running root mean square, or deviation, of the gradient.

    ::

        v <- alpha v + (1 - alpha) g^2
        a <- alpha a + (1 - alpha) g           (centered; else a = 0)
        u = g / (sqrt(v - a^2) + eps)
        b <- momentum b + u                    (momentum > 0; else b = u)
        params -= lr b

    Tieleman and Hinton, lecture 6.5 (2012); centered: Graves, "Generating sequences
    with recurrent neural networks" (2013). In the form of ``torch.optim.RMSprop``, eps
    outside the root. Keras has lr = 1e-3, alpha = 0.9, eps = 1e-7.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    square_avg : array like `params`
        v, 0 before step 1; changed in place.
    momentum_buffer : array like `params`, or None if momentum is 0
        b, 0 before step 1; changed in place.
    grad_avg : array like `params`, or None unless centered
        a, 0 before step 1; changed in place.
    alpha : float, default 0.99
        Decay rate of the averages, in [0, 1].
    eps, momentum : float
        Not negative.
    centered : bool

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import rmsprop_update
    >>> params, v = np.array([1.0]), np.zeros(1)
    >>> rmsprop_update(params, np.array([3.0]), v, step=1, lr=0.5, alpha=0.75)
    >>> v.tolist(), params.round(6).tolist()
    ([2.25], [0.0])
    """
    check_arrays(
        params,
        grads,
        step,
        square_avg=square_avg,
        momentum_buffer=momentum_buffer,
        grad_avg=grad_avg,
    )
    check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay, momentum=momentum)
    check_range("alpha", alpha, 0.0 <= alpha <= 1.0, "in [0, 1]")
    v = needed("square_avg", square_avg, "rmsprop averages in it")
    a = needed("grad_avg", grad_avg, "centered is true") if centered else None
    b = None
    if momentum > 0.0:
        b = needed("momentum_buffer", momentum_buffer, "momentum is not 0")
    g = descent_gradient(params, grads, weight_decay, maximize)
    move_average(v, g * g, 1.0 - alpha)
    if a is not None:
        move_average(a, g, 1.0 - alpha)
        v = v - a * a
    update = g / root(v, 1.0, eps)
    if b is not None:
        b *= momentum
        b += update
        update = b
    params -= lr * update


def adadelta_update(
    params: Array,
    grads: Array,
    square_avg: Array | None = None,
    acc_delta: Array | None = None,
    *,
    step: int,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Adadelta: steps in the parameter's own unit, from past steps over gradients.

    ::

        v <- rho v + (1 - rho) g^2
        d = sqrt(u + eps) / sqrt(v + eps) g
        u <- rho u + (1 - rho) d^2
        params -= lr d

    Zeiler, "ADADELTA: an adaptive learning rate method" (2012), in the form of
    ``torch.optim.Adadelta``. Keras has lr = 1e-3, rho = 0.95, eps = 1e-7.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    square_avg, acc_delta : arrays like `params`
        v and u, 0 before step 1; changed in place.
    rho : float, default 0.9
        Decay rate of the averages, in [0, 1].
    eps : float, default 1e-6
        Inside the roots: it sets the first step's length. Not negative.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import adadelta_update
    >>> params, v, u = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> adadelta_update(params, np.array([2.0]), v, u, step=1, rho=0.75, eps=1.0)
    >>> round(float(params[0]), 6)  # 1 - 2 / sqrt(0.25 * 4 + 1)
    -0.414214
    """
    check_arrays(params, grads, step, square_avg=square_avg, acc_delta=acc_delta)
    check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    check_range("rho", rho, 0.0 <= rho <= 1.0, "in [0, 1]")
    v = needed("square_avg", square_avg, "adadelta averages in it")
    u = needed("acc_delta", acc_delta, "adadelta averages in it")
    g = descent_gradient(params, grads, weight_decay, maximize)
    move_average(v, g * g, 1.0 - rho)
    delta = np.sqrt((u + eps) / (v + eps)) * g
    move_average(u, delta * delta, 1.0 - rho)
    params -= lr * delta
