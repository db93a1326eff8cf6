"""Steps by the gradient's sign: Rprop and Lion."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.optim.base import Rule

__all__ = ["Lion", "Rprop"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Rprop(Rule):
    """Rprop: a step size for every parameter, from the signs of its gradients alone.

    ::

        d = d etas[1] where g g_prev > 0, d etas[0] where g g_prev < 0
        d is kept within step_sizes
        g = 0 where g g_prev < 0
        w = w - d sign(g);    g_prev = g

    For full-batch training: the noise of small batches flips the signs.

    Parameters
    ----------
    lr : float, default 1e-2
        The first step size of every parameter, and nothing else: later changes of the
        learning rate have no effect, nor has a layer's `lr_scale`.
    etas : (float, float), default (0.5, 1.2)
        Factors of the step size, in (0, 1) after a change of sign and > 1 otherwise.
    step_sizes : (float, float), default (1e-6, 50)
        Smallest and largest step size.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    A NaN in the gradient reaches the parameters; torch's sign makes it a zero. The sign
    of ``g g_prev`` is right where torch's product underflows.

    References
    ----------
    Riedmiller & Braun (1993), A direct adaptive method for faster backpropagation
    learning. Igel & Huesken (2000), Improving the Rprop learning algorithm.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.Rprop(0.1)
    >>> state = opt.init(w)
    >>> opt.update(w, np.array([300.0, -0.5]), state)
    >>> opt.update(w, np.array([300.0, -0.5]), state)
    >>> w.round(6)
    array([0.78, 2.22])
    """

    kind: ClassVar[str] = "rprop"
    slot_names: ClassVar[tuple[str, ...]] = ("prev", "step_size")

    lr: float = 1e-2
    etas: tuple[float, float] = (0.5, 1.2)
    step_sizes: tuple[float, float] = (1e-6, 50.0)
    _: dataclasses.KW_ONLY
    maximize: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Lion(Rule):
    """Lion: the sign of a momentum; one array of state, steps of equal length.

    ::

        c = b1 m + (1 - b1) g
        w = (1 - lr weight_decay) w - lr sign(c)
        m = b2 m + (1 - b2) g

    Parameters
    ----------
    lr : float, default 1e-4
        Learning rate, >= 0; a third to a tenth of Adam's is a start.
    betas : (float, float), default (0.9, 0.99)
        Memories of the step's direction and of the momentum, in [0, 1).
    weight_decay : float, default 0
        Decoupled decay of the weights, >= 0.
    maximize : bool, default False
        Climb instead of descending. Keyword only.

    Raises
    ------
    ValueError
        A setting out of range.

    Notes
    -----
    torch has no Lion. A NaN in the gradient reaches the parameters.

    References
    ----------
    Chen et al. (2023), Symbolic discovery of optimization algorithms, arXiv:2302.06675.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> w, opt = np.array([1.0, 2.0]), fnn.Lion(0.1)
    >>> opt.update(w, np.array([300.0, -0.5]), opt.init(w))
    >>> w
    array([0.9, 2.1])
    """

    kind: ClassVar[str] = "lion"
    slot_names: ClassVar[tuple[str, ...]] = ("exp_avg",)

    lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    _: dataclasses.KW_ONLY
    maximize: bool = False
