r"""Activations on arrays of any shape: y = f(z), and the gradient through them.

=============  =======================================  ==============================
name           f(z)                                     source
=============  =======================================  ==============================
identity       z
relu           max(z, 0)                                Nair and Hinton 2010
leaky_relu     z if z > 0 else negative_slope z         Maas et al. 2013
elu            z if z > 0 else alpha (exp(z) - 1)       Clevert et al. 2015
selu           1.0507 elu(z, alpha=1.67326)             Klambauer et al. 2017
celu           z if z > 0 else a (exp(z / a) - 1)       Barron 2017 (a = alpha)
gelu           z Phi(z), Phi the normal distribution    Hendrycks and Gimpel 2016
gelu_tanh      z (1 + tanh(u)) / 2,                     the same
               u = sqrt(2/pi) (z + 0.044715 z^3)
silu           z sigmoid(z)                             Elfwing et al. 2017
mish           z tanh(softplus(z))                      Misra 2019
sigmoid        1 / (1 + exp(-z))
tanh           tanh(z)
softplus       log(1 + exp(z))                          Dugas et al. 2000
softsign       z / (1 + \|z\|)                          Turian et al. 2009
hard_sigmoid   min(max(z + 3, 0), 6) / 6                Courbariaux et al. 2015
hard_swish     z hard_sigmoid(z)                        Howard et al. 2019
hard_tanh      min(max(z, -1), 1)                       Collobert 2004
=============  =======================================  ==============================

Semantics are those of ``torch.nn.functional``, also where the slope jumps (relu'(0) is
0), but for three: softplus is the formula everywhere, where torch returns z above
z = 20 (they differ by at most 2.1e-9); the slope of hard_sigmoid is 1/6 in the array's
dtype, where torch has float32's 1/6; ``negative_slope`` and ``alpha`` must not be
negative. Keras' ``leaky_relu`` defaults to a slope of 0.2; its ``hard_sigmoid`` agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._activation_table import ACTIVATIONS, Activation
from fastnn.reference._checks import (
    check_floating,
    check_range,
    check_shape,
    check_threads,
    unknown_name,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def activation_forward(
    z: Array,
    activation: str,
    *,
    alpha: float | None = None,
    negative_slope: float | None = None,
    approximate: str | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Return y = f(z).

    Parameters
    ----------
    z : float32 or float64 array, any shape
    activation : str
        A name of the module's table.
    alpha : float, default 1
        Of "elu" (>= 0) and "celu" (> 0); for "leaky_relu" another name of
        `negative_slope`.
    negative_slope : float, default 0.01
        Of "leaky_relu" (>= 0).
    approximate : {"none", "tanh"}
        Of "gelu": "tanh" is "gelu_tanh".
    out : array like `z`, optional
        Receives the result; may be `z` itself.
    n_threads : int, optional
        As the kernel has it; no matter here.

    Returns
    -------
    array like `z`. NaN gives NaN; no finite z overflows.

    Raises
    ------
    ValueError
        Unknown activation, a parameter it does not have, or out of its range.
    TypeError
        `z` is not float32 or float64, `activation` no string.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import activation_forward
    >>> activation_forward(np.array([-2.0, 0.0, 2.0]), "leaky_relu", negative_slope=0.1)
    array([-0.2,  0. ,  2. ])
    """
    check_floating(z=z, out=out)
    check_threads(n_threads)
    if out is not None:
        check_shape("out", out, z.shape, "the shape of z")
    rule, a = resolve(activation, alpha, negative_slope, approximate)
    return rule.forward(z, a, out)


def activation_backward(
    dy: Array,
    z: Array,
    activation: str,
    *,
    alpha: float | None = None,
    negative_slope: float | None = None,
    approximate: str | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Return dL/dz = dL/dy f'(z), given dL/dy and the activation's input z.

    Parameters
    ----------
    dy, z : arrays of one shape and dtype
    activation, alpha, negative_slope, approximate, n_threads
        As in `activation_forward`.
    out : array like `z`, optional
        Receives the result; may be `dy` or `z`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import activation_backward
    >>> activation_backward(np.ones(3), np.array([-1.0, 0.0, 1.0]), "relu")
    array([0., 0., 1.])
    """
    check_floating(dy=dy, z=z, out=out)
    check_threads(n_threads)
    check_shape("dy", dy, z.shape, "the shape of z")
    if out is not None:
        check_shape("out", out, z.shape, "the shape of z")
    rule, a = resolve(activation, alpha, negative_slope, approximate)
    slope = rule.slope(rule.forward(z, a, None) if rule.slope_of == "output" else z, a)
    return np.multiply(dy, slope, out=slope if out is None else out)


def resolve(
    activation: str,
    alpha: float | None = None,
    negative_slope: float | None = None,
    approximate: str | None = None,
) -> tuple[Activation, float]:
    """Return the table's row and the value of its parameter, checked."""
    if not isinstance(activation, str):
        msg = (
            "activation must be a name such as 'relu', got "
            f"{type(activation).__name__} {activation!r}"
        )
        raise TypeError(msg)
    if activation == "gelu" and approximate in ("none", "tanh"):
        activation, approximate = (
            {"none": "gelu", "tanh": "gelu_tanh"}[approximate],
            None,
        )
    if activation not in ACTIVATIONS:
        raise unknown_name("activation", activation, ACTIVATIONS)
    rule = ACTIVATIONS[activation]
    if approximate is not None:
        msg = (
            'approximate must be "none" or "tanh", and given with "gelu" alone, '
            f"got {approximate!r} with {activation!r}"
        )
        raise ValueError(msg)
    if rule.parameter == "negative_slope" and negative_slope is None:
        alpha, negative_slope = None, alpha
    given = {"alpha": alpha, "negative_slope": negative_slope}
    value = given.pop(rule.parameter, None)
    if any(other is not None for other in given.values()):
        takes = repr(rule.parameter) if rule.parameter else "no parameter"
        msg = f"activation {activation!r} takes {takes}, got {given}"
        raise ValueError(msg)
    if value is None:
        return rule, rule.default
    bound = f"at least {rule.minimum:g} and finite"
    check_range(rule.parameter, value, rule.minimum <= value < np.inf, bound)
    return rule, float(value)
