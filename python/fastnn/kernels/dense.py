"""The dense layer on plain NumPy arrays: see `fastnn.kernels`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._native import core
from fastnn.kernels.activations import resolve_activation

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


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
    f = resolve_activation(activation, alpha, None, None)
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
    f = resolve_activation(activation, alpha, None, None)
    if z is None and f.slope_needs_input:
        raise ValueError(
            f"activation {activation!r} has no slope that is a function of y: "
            "give z, the pre-activation x w^T + b"
        )
    return core.dense_backward(dy, x, w, y, f, z, out, n_threads)
