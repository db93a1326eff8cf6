"""Rules whose step is proportional to the gradient: SGD, averaged SGD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference.optimizers._common import (
    check_arrays,
    check_not_negative,
    descent_gradient,
    needed,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def sgd_update(
    params: Array,
    grads: Array,
    momentum_buffer: Array | None = None,
    *,
    step: int,
    lr: float = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """Stochastic gradient descent, with momentum or Nesterov's.

    ::

        g = grads + weight_decay params         (-grads if maximize)
        m = g at step 1, else momentum m + (1 - dampening) g
        params -= lr (g + momentum m if nesterov else m)

    Sutskever et al., "On the importance of initialization and momentum" (2013), in the
    form of ``torch.optim.SGD``: the rate multiplies the buffer when it is used, and
    the first step is not dampened. Keras' default rate is 1e-2.

    Parameters
    ----------
    params, grads : arrays of one shape and dtype
        `params` is changed in place.
    momentum_buffer : array like `params`, or None if momentum is 0
        m, changed in place; its content before step 1 does not matter.
    step : int
        1 at the first update.
    lr, momentum, dampening, weight_decay : float
        Not negative.
    nesterov, maximize : bool

    Raises
    ------
    ValueError
        A hyper-parameter out of range, nesterov without momentum or with dampening,
        shapes that differ, a missing slot.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import sgd_update
    >>> params = np.array([1.0, 2.0])
    >>> sgd_update(params, np.array([10.0, -10.0]), step=1, lr=0.1)
    >>> params
    array([0., 3.])
    """
    check_arrays(params, grads, step, momentum_buffer=momentum_buffer)
    check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
    if nesterov and (momentum == 0.0 or dampening != 0.0):
        msg = (
            "nesterov needs momentum > 0 and dampening = 0, "
            f"got momentum={momentum}, dampening={dampening}"
        )
        raise ValueError(msg)
    g = descent_gradient(params, grads, weight_decay, maximize)
    if momentum != 0.0:
        m = needed("momentum_buffer", momentum_buffer, "momentum is not 0")
        if step == 1:
            np.copyto(m, g)
        else:
            m *= momentum
            m += g if dampening == 0.0 else (1.0 - dampening) * g
        g = g + momentum * m if nesterov else m
    params -= lr * g


def asgd_update(
    params: Array,
    grads: Array,
    ax: Array | None = None,
    *,
    step: int,
    lr: float = 1e-2,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Averaged SGD: a decaying rate, and the mean of the iterates beside them.

    With t = step::

        eta = lr / (1 + lambd lr (t - 1))^alpha
        params <- (1 - lambd eta) params - eta g
        ax <- ax + mu (params - ax),   mu = 1 / max(1, t - 1 - t0)

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging"
    (1992), in the form of ``torch.optim.ASGD``, which holds eta and mu in torch's
    default dtype: compare with float64 as the default. The answer is `ax`, which is
    `params` itself until step t0 + 2; `params` does not depend on it.

    Parameters
    ----------
    params, grads, step, lr, weight_decay, maximize
        As of `sgd_update`.
    ax : array like `params`
        The average, changed in place; its content before step 1 does not matter.
    lambd, alpha : float
        Decay term and power of the rate.
    t0 : float
        Step after which averaging starts.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import asgd_update
    >>> params, ax = np.array([1.0]), np.zeros(1)
    >>> asgd_update(params, np.array([2.0]), ax, step=1, lr=0.1, lambd=0.0)
    >>> params.tolist(), ax.tolist()
    ([0.8], [0.8])
    """
    check_arrays(params, grads, step, ax=ax)
    check_not_negative(lr=lr, lambd=lambd, t0=t0, weight_decay=weight_decay)
    ax = needed("ax", ax, "asgd always averages")
    g = descent_gradient(params, grads, weight_decay, maximize)
    eta = lr / (1.0 + lambd * lr * (step - 1)) ** alpha
    params *= 1.0 - lambd * eta
    params -= eta * g
    mu = 1.0 / max(1.0, step - 1 - t0)
    if mu == 1.0:
        np.copyto(ax, params)
    else:
        ax += mu * (params - ax)
