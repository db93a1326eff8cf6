"""Gradient descent and its average: SGD and ASGD."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.optim.base import Rule

__all__ = ["ASGD", "SGD"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SGD(Rule):
    """Stochastic gradient descent, with momentum if wanted.

    ::

        b = momentum b + (1 - dampening) g          (b = g at the first step)
        w = w - lr g                                without momentum
        w = w - lr b                                with momentum
        w = w - lr (g + momentum b)                 nesterov

    Parameters
    ----------
    lr : float, default 1e-3
        Learning rate, >= 0.
    momentum : float, default 0
        >= 0; 0.9 is usual.
    dampening : float, default 0
        Of the gradient's way into the momentum.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    nesterov : bool, default False
        Nesterov's momentum; needs ``momentum > 0`` and ``dampening == 0``.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range, or nesterov without what it needs.

    Notes
    -----
    As in torch, `lr` is applied to the momentum buffer, not inside it as Sutskever et
    al. and Keras do: the two differ while the learning rate changes. scikit-learn's
    `MLPClassifier` defaults to Nesterov's momentum of 0.9.

    References
    ----------
    Polyak (1964), Some methods of speeding up the convergence of iteration methods.
    Sutskever, Martens, Dahl & Hinton (2013), On the importance of initialization and
    momentum in deep learning.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.SGD(0.1, momentum=0.9)
    >>> state = opt.init(w)
    >>> opt.update(w, np.array([1.0, -1.0]), state)
    >>> w
    array([0.9, 2.1])
    """

    kind: ClassVar[str] = "sgd"
    slot_names: ClassVar[tuple[str, ...]] = ("momentum_buffer",)

    lr: float = 1e-3
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    _: dataclasses.KW_ONLY
    maximize: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ASGD(Rule):
    """Averaged SGD: slowing steps, and beside `w` their average `ax`.

    ::

        eta = lr / (1 + lambd lr (t - 1))^alpha
        mu = 1 / max(1, t - 1 - t0)
        w = (1 - lambd eta) w - eta g
        ax = ax + mu (w - ax)

    The average is for the user to take, from the state's slot ``"ax"``.

    Parameters
    ----------
    lr : float, default 1e-2
        First learning rate, >= 0.
    lambd : float, default 1e-4
        Decay of the weights and of the learning rate, >= 0.
    alpha : float, default 0.75
        Power of the learning rate's decay, >= 0.
    t0 : float, default 1e6
        The step after which averaging begins, >= 0.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    `eta` is computed from the learning rate of the step at hand. torch computes it at
    the end of the step before: there a change of the learning rate takes effect one
    step later.

    References
    ----------
    Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging.
    Xu (2011), Towards optimal one pass large scale learning with averaged stochastic
    gradient descent, arXiv:1107.2490.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.ASGD(0.1, lambd=0.0)
    >>> opt.update(w, np.array([1.0, -0.5]), opt.init(w))
    >>> w
    array([0.9 , 2.05])
    """

    kind: ClassVar[str] = "asgd"
    slot_names: ClassVar[tuple[str, ...]] = ("ax",)

    lr: float = 1e-2
    lambd: float = 1e-4
    alpha: float = 0.75
    t0: float = 1e6
    weight_decay: float = 0.0
    _: dataclasses.KW_ONLY
    maximize: bool = False
