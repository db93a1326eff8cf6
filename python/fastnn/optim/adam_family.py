"""Adam, AdamW and Adamax."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.optim.base import Rule

__all__ = ["Adam", "AdamW", "Adamax"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Adam(Rule):
    """Adam: a running mean of the gradient over a running root mean square.

    ::

        m = b1 m + (1 - b1) g
        v = b2 v + (1 - b2) g^2          (amsgrad: the largest v so far divides)
        w = w - lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)

    Parameters
    ----------
    lr : float, default 1e-3
        Learning rate, >= 0.
    betas : (float, float), default (0.9, 0.999)
        Memories of the two means, in [0, 1).
    eps : float, default 1e-8
        Keeps the divisor from 0, >= 0; it stands outside the root.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    amsgrad : bool, default False
        The variant that provably converges: the divisor never falls.
    maximize : bool, default False
        Climb instead of descending. Keyword only.
    decoupled_weight_decay : bool, default False
        Decay the weights as `AdamW` does. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    Keras has ``eps=1e-7``.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, arXiv:1412.6980.
    Reddi, Kale & Kumar (2018), On the convergence of Adam and beyond.

    Examples
    --------
    The first step has length `lr` whatever the gradient's size:

    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.Adam(0.1)
    >>> opt.update(w, np.array([300.0, -0.5]), opt.init(w))
    >>> w.round(6)
    array([0.9, 2.1])
    """

    kind: ClassVar[str] = "adam"
    slot_names: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False
    _: dataclasses.KW_ONLY
    maximize: bool = False
    decoupled_weight_decay: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AdamW(Rule):
    """Adam with decoupled weight decay.

    ::

        w = (1 - lr weight_decay) w
        then Adam's step, whose g holds no penalty

    Parameters
    ----------
    lr : float, default 1e-3
        Learning rate, >= 0.
    betas : (float, float), default (0.9, 0.999)
        Memories of the two means, in [0, 1).
    eps : float, default 1e-8
        Keeps the divisor from 0, >= 0.
    weight_decay : float, default 1e-2
        Decay of the weights a step, in units of `lr`, >= 0.
    amsgrad : bool, default False
        Divide by the largest mean square so far.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    In a network every parameter decays, biases included, as in torch.

    References
    ----------
    Loshchilov & Hutter (2019), Decoupled weight decay regularization, arXiv:1711.05101.

    Examples
    --------
    Without a gradient the weights shrink by the factor 1 - lr weight_decay:

    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.AdamW(0.1, weight_decay=0.5)
    >>> opt.update(w, np.zeros(2), opt.init(w))
    >>> w
    array([0.95, 1.9 ])
    """

    kind: ClassVar[str] = "adamw"
    slot_names: ClassVar[tuple[str, ...]] = Adam.slot_names

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 1e-2
    amsgrad: bool = False
    _: dataclasses.KW_ONLY
    maximize: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Adamax(Rule):
    """Adamax: Adam with the infinity norm in place of the root mean square.

    ::

        m = b1 m + (1 - b1) g
        u = max(b2 u, |g| + eps)
        w = w - lr / (1 - b1^t) m / u

    Parameters
    ----------
    lr : float, default 2e-3
        Learning rate, >= 0.
    betas : (float, float), default (0.9, 0.999)
        Memories of the mean and of the norm, in [0, 1).
    eps : float, default 1e-8
        Keeps the divisor from 0, >= 0.
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
    As in torch, eps is added to ``|g|`` inside the maximum; Keras adds it to `u`.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, section 7,
    arXiv:1412.6980.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.Adamax(0.1)
    >>> opt.update(w, np.array([300.0, -0.5]), opt.init(w))
    >>> w.round(6)
    array([0.9, 2.1])
    """

    kind: ClassVar[str] = "adamax"
    slot_names: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_inf")

    lr: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    _: dataclasses.KW_ONLY
    maximize: bool = False
