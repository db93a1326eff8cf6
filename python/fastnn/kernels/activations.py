"""Activations on plain NumPy arrays: see `fastnn.kernels`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import number, unknown_name
from fastnn._native import core

if TYPE_CHECKING:
    from fastnn.kernels._types import Array

_PLAIN = {name: core.Activation({"kind": name}) for name in core.activation_names()}
_PARAMETER = {"leaky_relu": "negative_slope", "elu": "alpha", "celu": "alpha"}


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
    """Return y = f(z), element by element.

    Formulas and sources of the functions: `fastnn.reference.activations`. They agree
    with ``torch.nn.functional``.

    Parameters
    ----------
    z : float32 or float64 array, any shape
    activation : str
        "identity", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "gelu_tanh",
        "silu", "mish", "sigmoid", "tanh", "softplus", "softsign", "hard_sigmoid",
        "hard_swish" or "hard_tanh".
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
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    array like `z`. NaN gives NaN.

    Raises
    ------
    ValueError
        Unknown activation, a parameter it does not have, or out of its range.
    TypeError
        `z` is not float32 or float64, `activation` no string.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import activation_forward
    >>> activation_forward(np.array([-2.0, 0.0, 2.0]), "leaky_relu", negative_slope=0.1)
    array([-0.2,  0. ,  2. ])
    """
    f = resolve_activation(activation, alpha, negative_slope, approximate)
    return core.activation_forward(z, f, out, n_threads)


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
    """Return dz = dy f'(z), element by element, given the activation's input z.

    Parameters
    ----------
    dy, z : arrays of one shape and dtype
    activation, alpha, negative_slope, approximate, n_threads
        As in `activation_forward`.
    out : array like `z`, optional
        Receives the result; may be `dy` or `z`.

    Returns
    -------
    array like `z`

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import activation_backward
    >>> activation_backward(np.ones(3), np.array([-1.0, 0.0, 1.0]), "relu")
    array([0., 0., 1.])
    """
    f = resolve_activation(activation, alpha, negative_slope, approximate)
    return core.activation_backward(dy, z, f, out, n_threads)


def resolve_activation(
    activation: str,
    alpha: float | None,
    negative_slope: float | None,
    approximate: str | None,
) -> core.Activation:
    """Return the function a name and its parameters mean."""
    if not isinstance(activation, str):
        raise TypeError(
            "activation must be a name such as 'relu', got "
            f"{type(activation).__name__} {activation!r}"
        )
    if alpha is None and negative_slope is None and approximate is None:
        f = _PLAIN.get(activation)
        if f is not None:
            return f
    if activation == "gelu" and approximate in ("none", "tanh"):
        activation = "gelu_tanh" if approximate == "tanh" else "gelu"
        approximate = None
    if activation not in _PLAIN:
        raise unknown_name("activation", activation, _PLAIN)
    if approximate is not None:
        raise ValueError(
            'approximate must be "none" or "tanh", and given with "gelu" alone, '
            f"got {approximate!r} with {activation!r}"
        )
    name = _PARAMETER.get(activation)
    if name == "negative_slope" and negative_slope is None:
        alpha, negative_slope = None, alpha
    given = {"alpha": alpha, "negative_slope": negative_slope}
    parameters = {k: number(k, v) for k, v in given.items() if v is not None}
    if any(k != name for k in parameters):
        takes = f"takes {name!r}" if name else "takes no parameter"
        raise ValueError(f"activation {activation!r} {takes}, got {parameters}")
    return core.Activation({"kind": activation, **parameters})
