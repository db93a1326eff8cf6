"""Steps scaled by past squared gradients: Adagrad, RMSprop and Adadelta."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.optim.base import Rule

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Adagrad(Rule):
    """Adagrad: each parameter slows down by the sum of its squared gradients.

    ::

        s = s + g^2                      (s starts at initial_accumulator_value)
        w = w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    Parameters
    ----------
    lr : float, default 1e-2
        Learning rate, >= 0.
    lr_decay : float, default 0
        Decay of the learning rate with the step, >= 0.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    initial_accumulator_value : float, default 0
        Start of the sum, >= 0.
    eps : float, default 1e-10
        Keeps the divisor from 0, >= 0.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    Keras starts the sum at 0.1 and has ``eps=1e-7``.

    References
    ----------
    Duchi, Hazan & Singer (2011), Adaptive subgradient methods for online learning and
    stochastic optimization.

    Examples
    --------
    The first step has length `lr` whatever the gradient's size:

    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.Adagrad(0.5)
    >>> opt.update(w, np.array([300.0, -0.1]), opt.init(w))
    >>> w.round(6)
    array([0.5, 2.5])
    """

    kind: ClassVar[str] = "adagrad"
    slot_names: ClassVar[tuple[str, ...]] = ("sum",)

    lr: float = 1e-2
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10
    _: dataclasses.KW_ONLY
    maximize: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RMSprop(Rule):
    """RMSprop: the gradient over a running root mean square of itself.

    ::

        v = alpha v + (1 - alpha) g^2
        a = alpha a + (1 - alpha) g                 (centered; otherwise a = 0)
        d = g / (sqrt(v - a^2) + eps)
        w = w - lr d                                without momentum
        b = momentum b + d;  w = w - lr b           with momentum

    Parameters
    ----------
    lr : float, default 1e-2
        Learning rate, >= 0.
    alpha : float, default 0.99
        Memory of the running means, in [0, 1].
    eps : float, default 1e-8
        Keeps the divisor from 0, >= 0; it stands outside the root.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    momentum : float, default 0
        >= 0.
    centered : bool, default False
        Divide by the running standard deviation instead.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    Rounding can push ``v - a^2`` below 0, which gives NaN in torch; here it counts as
    0. Keras has ``rho=0.9``, ``lr=1e-3`` and eps inside the root.

    References
    ----------
    Tieleman & Hinton (2012), Lecture 6.5, Neural networks for machine learning.
    Centered: Graves (2013), Generating sequences with recurrent neural networks,
    arXiv:1308.0850.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.RMSprop(0.1, alpha=0.75)
    >>> opt.update(w, np.array([4.0, -0.5]), opt.init(w))
    >>> w.round(6)
    array([0.8, 2.2])
    """

    kind: ClassVar[str] = "rmsprop"
    slot_names: ClassVar[tuple[str, ...]] = (
        "square_avg",
        "momentum_buffer",
        "grad_avg",
    )

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False
    _: dataclasses.KW_ONLY
    maximize: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Adadelta(Rule):
    """Adadelta: steps in the unit of the parameters, without a learning rate to choose.

    ::

        v = rho v + (1 - rho) g^2
        d = sqrt(u + eps) / sqrt(v + eps) g
        u = rho u + (1 - rho) d^2
        w = w - lr d

    Parameters
    ----------
    lr : float, default 1.0
        Factor of the step, >= 0.
    rho : float, default 0.9
        Memory of the running means, in [0, 1].
    eps : float, default 1e-6
        Sets the size of the first steps, >= 0.
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
    Keras has ``lr=1e-3``, ``rho=0.95`` and ``eps=1e-7``.

    References
    ----------
    Zeiler (2012), ADADELTA: an adaptive learning rate method, arXiv:1212.5701.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.Adadelta()
    >>> opt.update(w, np.array([4.0, -0.5]), opt.init(w))
    >>> w.round(4)
    array([0.9968, 2.0032])
    """

    kind: ClassVar[str] = "adadelta"
    slot_names: ClassVar[tuple[str, ...]] = ("square_avg", "acc_delta")

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0
    _: dataclasses.KW_ONLY
    maximize: bool = False
