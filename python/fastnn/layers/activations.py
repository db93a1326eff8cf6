"""The stateless activations, each a layer: ``fnn.ReLU()`` or ``Dense(8, "relu")``.

All follow PyTorch's definitions and defaults. A network fuses an activation into the
layer before it, however it was written.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

from fastnn.layers.base import Activation

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ReLU(Activation):
    """Rectified linear unit: ``y = max(x, 0)``, slope 0 at x = 0.

    Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines"
    (2010). A unit whose input stays negative has no gradient and stays so ("dies").

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.Sequential(fnn.ReLU()).build(3).predict([[-2.0, 0.0, 2.0]]).tolist()
    [[0.0, 0.0, 2.0]]
    """

    kind: ClassVar[str] = "relu"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LeakyReLU(Activation):
    """ReLU that leaks: ``y = x if x > 0 else negative_slope * x``.

    Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic
    models" (2013). Keras' default slope is 0.3, ours is torch's.

    Parameters
    ----------
    negative_slope : float, default 0.01
        Slope for x <= 0, >= 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.LeakyReLU(0.5)).build(3)
    >>> net.predict([[-2.0, 0.0, 2.0]]).tolist()
    [[-1.0, 0.0, 2.0]]
    """

    kind: ClassVar[str] = "leaky_relu"
    negative_slope: float = 0.01


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ELU(Activation):
    """Exponential linear unit: ``y = x if x > 0 else alpha * (exp(x) - 1)``.

    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units" (2016).

    Parameters
    ----------
    alpha : float, default 1.0
        -alpha is the limit for x to minus infinity; > 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.ELU(2.0)).build(3)
    >>> net.predict([[-100.0, 0.0, 2.0]]).tolist()
    [[-2.0, 0.0, 2.0]]
    """

    kind: ClassVar[str] = "elu"
    alpha: float = 1.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SELU(Activation):
    """Scaled ELU: ``y = scale * (x if x > 0 else alpha * (exp(x) - 1))``.

    scale = 1.0507... and alpha = 1.6733... make mean 0 and variance 1 a fixed point
    of deep nets with ``init="lecun_normal"``. Klambauer et al., "Self-normalizing
    neural networks" (2017).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.SELU()).build(3)
    >>> [round(v, 4) for v in net.predict([[-100.0, 0.0, 1.0]])[0].tolist()]
    [-1.7581, 0.0, 1.0507]
    """

    kind: ClassVar[str] = "selu"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CELU(Activation):
    """Smooth ELU: ``y = max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``.

    Its slope is continuous for every alpha. Barron, "Continuously differentiable
    exponential linear units" (2017).

    Parameters
    ----------
    alpha : float, default 1.0
        -alpha is the limit for x to minus infinity; > 0.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.CELU(0.5)).build(3)
    >>> net.predict([[-100.0, 0.0, 2.0]]).tolist()
    [[-0.5, 0.0, 2.0]]
    """

    kind: ClassVar[str] = "celu"
    alpha: float = 1.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GELU(Activation):
    """Gaussian error linear unit: ``y = x * Phi(x)``, Phi the normal distribution.

    Hendrycks and Gimpel, "Gaussian error linear units" (2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}, default "none"
        "tanh" takes ``x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x**3)))`` instead.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.GELU()).build(3)
    >>> [round(v, 4) for v in net.predict([[-1.0, 0.0, 1.0]])[0].tolist()]
    [-0.1587, 0.0, 0.8413]
    """

    kind: ClassVar[str] = "gelu"
    approximate: Literal["none", "tanh"] = "none"

    def to_native(self) -> dict[str, Any]:
        """Return the kernel's name: each form is a function of its own there."""
        return {"kind": "gelu_tanh" if self.approximate == "tanh" else "gelu"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SiLU(Activation):
    """Sigmoid linear unit or swish: ``y = x / (1 + exp(-x))``.

    Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units" (2017); Ramachandran,
    Zoph and Le, "Searching for activation functions" (2017).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.SiLU()).build(3)
    >>> [round(v, 4) for v in net.predict([[-1.0, 0.0, 1.0]])[0].tolist()]
    [-0.2689, 0.0, 0.7311]
    """

    kind: ClassVar[str] = "silu"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Mish(Activation):
    """Mish: ``y = x * tanh(log(1 + exp(x)))``.

    Misra, "Mish: a self regularized non-monotonic activation function" (2019).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Mish()).build(3)
    >>> [round(v, 4) for v in net.predict([[-1.0, 0.0, 1.0]])[0].tolist()]
    [-0.3034, 0.0, 0.8651]
    """

    kind: ClassVar[str] = "mish"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Sigmoid(Activation):
    """Logistic function: ``y = 1 / (1 + exp(-x))``.

    Not for a last layer: ``binary_cross_entropy`` takes logits.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Sigmoid()).build(3)
    >>> [round(v, 4) for v in net.predict([[-1.0, 0.0, 1.0]])[0].tolist()]
    [0.2689, 0.5, 0.7311]
    """

    kind: ClassVar[str] = "sigmoid"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Tanh(Activation):
    """Hyperbolic tangent: ``y = tanh(x)``.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Tanh()).build(3)
    >>> [round(v, 4) for v in net.predict([[-1.0, 0.0, 1.0]])[0].tolist()]
    [-0.7616, 0.0, 0.7616]
    """

    kind: ClassVar[str] = "tanh"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Softplus(Activation):
    """Smooth ReLU: ``y = log(1 + exp(x))``, computed without overflow.

    Dugas et al., "Incorporating second-order functional knowledge" (2001).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Softplus()).build(3)
    >>> [round(v, 4) for v in net.predict([[-1.0, 0.0, 1000.0]])[0].tolist()]
    [0.3133, 0.6931, 1000.0]
    """

    kind: ClassVar[str] = "softplus"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Softsign(Activation):
    """Softsign: ``y = x / (1 + |x|)``.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    neural networks" (2010).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Softsign()).build(3)
    >>> net.predict([[-1.0, 0.0, 3.0]]).tolist()
    [[-0.5, 0.0, 0.75]]
    """

    kind: ClassVar[str] = "softsign"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HardSigmoid(Activation):
    """Piecewise linear sigmoid: ``y = min(max(x + 3, 0), 6) / 6``.

    Courbariaux, Bengio and David, "BinaryConnect" (2015), with torch's slope of 1/6;
    older Keras used 0.2.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.HardSigmoid()).build(3)
    >>> net.predict([[-3.0, 0.0, 4.0]]).tolist()
    [[0.0, 0.5, 1.0]]
    """

    kind: ClassVar[str] = "hard_sigmoid"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HardSwish(Activation):
    """Piecewise quadratic swish: ``y = x * min(max(x + 3, 0), 6) / 6``.

    Howard et al., "Searching for MobileNetV3" (2019).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.HardSwish()).build(3)
    >>> net.predict([[-1.5, 0.0, 4.0]]).tolist()
    [[-0.375, 0.0, 4.0]]
    """

    kind: ClassVar[str] = "hard_swish"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HardTanh(Activation):
    """Piecewise linear tanh: ``y = min(max(x, -1), 1)``.

    Collobert, "Large scale machine learning" (2004).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.HardTanh()).build(3)
    >>> net.predict([[-3.0, 0.5, 4.0]]).tolist()
    [[-1.0, 0.5, 1.0]]
    """

    kind: ClassVar[str] = "hard_tanh"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Identity(Activation):
    """No change: ``y = x``; a place-holder that keeps the numbering of layers.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.Sequential(fnn.Identity()).build(2).predict([[-3.0, 4.0]]).tolist()
    [[-3.0, 4.0]]
    """

    kind: ClassVar[str] = "identity"


ACTIVATIONS: dict[str, type[Activation]] = {
    cls.kind: cls
    for cls in (
        ReLU,
        LeakyReLU,
        ELU,
        SELU,
        CELU,
        GELU,
        SiLU,
        Mish,
        Sigmoid,
        Tanh,
        Softplus,
        Softsign,
        HardSigmoid,
        HardSwish,
        HardTanh,
        Identity,
    )
}
"""Every activation by its name, as ``Dense(8, activation=name)`` takes it."""
