"""Adam with Nesterov's momentum and with rectification: NAdam and RAdam."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.optim.base import Rule

__all__ = ["NAdam", "RAdam"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NAdam(Rule):
    """NAdam: Adam with Nesterov's momentum.

    ::

        mu_t = b1 (1 - 0.96^(t momentum_decay) / 2),    M_t = mu_1 mu_2 ... mu_t
        m = b1 m + (1 - b1) g;    v = b2 v + (1 - b2) g^2
        w = w - lr (g (1 - mu_t) / (1 - M_t) + m mu_{t+1} / (1 - M_{t+1}))
                / (sqrt(v / (1 - b2^t)) + eps)

    Parameters
    ----------
    lr : float, default 2e-3
        Learning rate, >= 0.
    betas : (float, float), default (0.9, 0.999)
        Memories of the two means, in [0, 1).
    eps : float, default 1e-8
        Keeps the divisor from 0, >= 0.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    momentum_decay : float, default 4e-3
        How fast the momentum rises from b1 / 2 to b1, >= 0.
    decoupled_weight_decay : bool, default False
        Decay the weights as `AdamW` does.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch keeps `M_t` in its default dtype, float32 unless told; here it is float64.

    References
    ----------
    Dozat (2016), Incorporating Nesterov momentum into Adam.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.NAdam(0.1)
    >>> opt.update(w, np.array([300.0, -0.5]), opt.init(w))
    >>> w.round(3)
    array([0.894, 2.106])
    """

    kind: ClassVar[str] = "nadam"
    slot_names: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")

    lr: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 4e-3
    decoupled_weight_decay: bool = False
    _: dataclasses.KW_ONLY
    maximize: bool = False

    def scheduled(self) -> tuple[str, ...]:
        """Return what may have a schedule: not momentum, which has one of its own."""
        return tuple(name for name in super().scheduled() if name != "momentum")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RAdam(Rule):
    """RAdam: Adam that waits until its mean square can be trusted.

    ::

        m = b1 m + (1 - b1) g;    v = b2 v + (1 - b2) g^2
        p_inf = 2 / (1 - b2) - 1
        p = p_inf - 2 t b2^t / (1 - b2^t)
        r^2 = (p - 4) (p - 2) p_inf / ((p_inf - 4) (p_inf - 2) p)
        w = w - lr m / (1 - b1^t)                                    while p <= 5
        w = w - lr m / (1 - b1^t) r sqrt(1 - b2^t) / (sqrt(v) + eps)       then

    Parameters
    ----------
    lr : float, default 1e-3
        Learning rate, >= 0.
    betas : (float, float), default (0.9, 0.999)
        Memories of the two means, in [0, 1).
    eps : float, default 1e-8
        Keeps the divisor from 0, >= 0.
    weight_decay : float, default 0
        L2 penalty, >= 0.
    decoupled_weight_decay : bool, default False
        Decay the weights as `AdamW` does.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    As in torch, the threshold is 5 (the paper's is 4), and eps is added before the bias
    of `v` is corrected. With the default betas the first five steps are plain momentum.

    References
    ----------
    Liu et al. (2020), On the variance of the adaptive learning rate and beyond,
    arXiv:1908.03265.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.RAdam(0.1)
    >>> opt.update(w, np.array([1.0, -0.5]), opt.init(w))
    >>> w.round(6)
    array([0.9 , 2.05])
    """

    kind: ClassVar[str] = "radam"
    slot_names: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled_weight_decay: bool = False
    _: dataclasses.KW_ONLY
    maximize: bool = False
