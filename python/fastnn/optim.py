"""Optimizers: ``torch.optim``'s names, settings, defaults and trajectories.

In the formulas `w` are the parameters, `g` their gradient (its negative with
``maximize=True``), `t` = 1, 2, ... the step; products and roots are elementwise. Weight
decay adds ``weight_decay * w`` to `g` (L2), unless it is called decoupled: then it
shrinks `w` by the factor ``1 - lr * weight_decay`` and leaves `g` alone.

All step scalars (bias corrections and their kin) are computed in float64 whatever the
dtype of the arrays. torch's arguments that choose an implementation (``foreach``,
``fused``, ``capturable``, ``differentiable``) have no counterpart.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn._optimizer import Optimizer, OptimizerState

__all__ = [
    "ASGD",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "OptimizerState",
    "RAdam",
    "RMSprop",
    "Rprop",
]


@dataclasses.dataclass(frozen=True)
class SGD(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class Adagrad(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class RMSprop(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class Adadelta(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class Adam(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class AdamW(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class Adamax(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class NAdam(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class RAdam(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class Rprop(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class ASGD(Optimizer):
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


@dataclasses.dataclass(frozen=True)
class Lion(Optimizer):
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


OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.kind: optimizer
    for optimizer in (
        SGD,
        Adagrad,
        RMSprop,
        Adadelta,
        Adam,
        AdamW,
        Adamax,
        NAdam,
        RAdam,
        Rprop,
        ASGD,
        Lion,
    )
}
"""The optimizers by name."""
