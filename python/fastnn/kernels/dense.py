"""Activations and the dense layer on plain NumPy arrays: see `fastnn.kernels`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import numpy as np

from fastnn._native import core

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

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
        `z` is not float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import activation_forward
    >>> activation_forward(np.array([-2.0, 0.0, 2.0]), "leaky_relu", negative_slope=0.1)
    array([-0.2,  0. ,  2. ])
    """
    f = _resolve(activation, alpha, negative_slope, approximate)
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
    f = _resolve(activation, alpha, negative_slope, approximate)
    return core.activation_backward(dy, z, f, out, n_threads)


def dense_forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    activation: str = "identity",
    *,
    alpha: float | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Return y = f(x w^T + b).

    Parameters
    ----------
    x : (rows, in) float32 or float64
    w : (out, in)
        One row an output unit, as ``torch.nn.Linear`` has it; Keras and scikit-learn
        hold the transpose.
    b : (out,), optional
        No bias if None.
    activation : str, default "identity"
        A name from `activation_forward`.
    alpha : float, optional
        The activation's parameter: negative_slope of "leaky_relu" (0.01), alpha of
        "elu" and "celu" (1).
    out : (rows, out), optional
        Receives the result; must not overlap the arguments.
    n_threads : int, optional
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    y : (rows, out)

    Raises
    ------
    ValueError
        Shapes that do not fit, an unknown activation, a parameter out of range, an
        `out` that cannot be written.
    TypeError
        Arrays that are not all float32 or all float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import dense_forward
    >>> x = np.array([[1.0, 2.0]])
    >>> w = np.array([[1.0, 1.0], [1.0, -1.0]])
    >>> dense_forward(x, w, np.array([0.5, 0.5]), "relu")
    array([[3.5, 0. ]])
    """
    f = _resolve(activation, alpha, None, None)
    return core.dense_forward(x, w, b, f, out, n_threads)


def dense_backward(
    dy: Array,
    x: Array,
    w: Array,
    y: Array,
    activation: str = "identity",
    *,
    alpha: float | None = None,
    z: Array | None = None,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Array, Array]:
    """Return the gradients of the loss with respect to x, w and b.

    With dz = dy f'(z), element by element::

        dx = dz w        dw = dz^T x        db = sum over rows of dz

    Parameters
    ----------
    dy : (rows, out)
        Gradient with respect to y.
    x, w, activation, alpha, n_threads
        As they were given to `dense_forward`.
    y : (rows, out)
        What `dense_forward` returned: f' follows from it.
    z : (rows, out), optional
        The pre-activation x w^T + b. Needed by "gelu", "gelu_tanh", "silu", "mish" and
        "hard_swish", which are not monotone, so that y does not tell their slope;
        ignored by the others.
    out : (dx, dw, db), optional
        Arrays that receive the results, or None for a fresh one; must not overlap the
        arguments.

    Returns
    -------
    dx : (rows, in)
    dw : (out, in)
    db : (out,)

    Raises
    ------
    ValueError
        As `dense_forward`, and if `z` is needed and not given.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import dense_backward
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    >>> dx, dw, db = dense_backward(np.array([[10.0]]), x, w, x @ w.T)
    >>> dx, dw, db
    (array([[30., 40.]]), array([[10., 20.]]), array([10.]))
    """
    f = _resolve(activation, alpha, None, None)
    if z is None and f.slope_needs_input:
        raise ValueError(
            f"activation {activation!r} has no slope that is a function of y: "
            "give z, the pre-activation x w^T + b"
        )
    return core.dense_backward(dy, x, w, y, f, z, out, n_threads)


def _resolve(
    activation: str,
    alpha: float | None,
    negative_slope: float | None,
    approximate: str | None,
) -> core.Activation:
    """Return the function a name and its parameters mean."""
    if alpha is None and negative_slope is None and approximate is None:
        f = _PLAIN.get(activation)
        if f is not None:
            return f
    if activation == "gelu" and approximate in ("none", "tanh"):
        activation = "gelu_tanh" if approximate == "tanh" else "gelu"
        approximate = None
    if activation not in _PLAIN:
        near = get_close_matches(str(activation), _PLAIN, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_PLAIN)}"
        raise ValueError(f"unknown activation {activation!r}; {hint}")
    if approximate is not None:
        raise ValueError(
            'approximate must be "none" or "tanh", and given with "gelu" alone, '
            f"got {approximate!r} with {activation!r}"
        )
    name = _PARAMETER.get(activation)
    if name == "negative_slope" and negative_slope is None:
        alpha, negative_slope = None, alpha
    given = {"alpha": alpha, "negative_slope": negative_slope}
    parameters = {k: v for k, v in given.items() if v is not None}
    if any(k != name for k in parameters):
        takes = f"takes {name!r}" if name else "takes no parameter"
        raise ValueError(f"activation {activation!r} {takes}, got {parameters}")
    return core.Activation({"kind": activation, **parameters})
