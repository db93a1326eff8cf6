"""The fully connected layer: affine map and activation in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import (
    check_floating,
    check_matrix,
    check_shape,
    check_threads,
    stored,
)
from fastnn.reference.activations import resolve

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


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
        A name of `fastnn.reference.activations`.
    alpha : float, optional
        The activation's parameter: negative_slope of "leaky_relu" (0.01), alpha of
        "elu" and "celu" (1).
    out : (rows, out), optional
        Receives the result; must not overlap the arguments.
    n_threads : int, optional
        As the kernel has it; no matter here.

    Returns
    -------
    y : (rows, out)

    Raises
    ------
    ValueError
        Shapes that do not fit, an unknown activation, a parameter out of range.
    TypeError
        Arrays that are not all float32 or all float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import dense_forward
    >>> x = np.array([[1.0, 2.0]])
    >>> w = np.array([[1.0, 1.0], [1.0, -1.0]])
    >>> dense_forward(x, w, np.array([0.5, 0.5]), "relu")
    array([[3.5, 0. ]])
    """
    check_floating(x=x, w=w, b=b, out=out)
    check_threads(n_threads)
    _check_shapes(x, w)
    if out is not None:
        check_shape("out", out, (len(x), len(w)), "a row of x, a column for each of w")
    rule, a = resolve(activation, alpha)
    y = np.matmul(x, w.T, out=out)
    if b is not None:
        check_shape("b", b, (len(w),), "one number a row of w")
        y += b
    return y if activation == "identity" else rule.forward(y, a, y)


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
        Arrays that receive the results, or None for a fresh one.

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
    >>> from fastnn.reference import dense_backward
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    >>> dx, dw, db = dense_backward(np.array([[10.0]]), x, w, x @ w.T)
    >>> dx, dw, db
    (array([[30., 40.]]), array([[10., 20.]]), array([10.]))
    """
    check_floating(dy=dy, x=x, w=w, y=y, z=z)
    check_threads(n_threads)
    _check_shapes(x, w)
    shape = (len(x), len(w))
    check_shape("dy", dy, shape, "a row for each of x, a column for each row of w")
    check_shape("y", y, shape, "the shape of dy")
    rule, a = resolve(activation, alpha)
    source = y
    if rule.slope_of == "input":
        if z is None:
            msg = (
                f"activation {activation!r} has no slope that is a function of y: "
                "give z, the pre-activation x w^T + b"
            )
            raise ValueError(msg)
        check_shape("z", z, shape, "the shape of y")
        source = z
    dz = dy if activation == "identity" else dy * rule.slope(source, a)
    into_dx, into_dw, into_db = _three(out)
    return (
        stored(dz @ w, into_dx, "dx"),
        stored(dz.T @ x, into_dw, "dw"),
        stored(dz.sum(axis=0), into_db, "db"),
    )


def _three(
    out: tuple[Array | None, Array | None, Array | None] | None,
) -> tuple[Array | None, Array | None, Array | None]:
    if out is None:
        return None, None, None
    if not isinstance(out, tuple) or len(out) != 3:
        msg = f"out must be None or the tuple (dx, dw, db), got {type(out).__name__}"
        raise TypeError(msg)
    return out


def _check_shapes(x: Array, w: Array) -> None:
    check_matrix("x", x)
    check_matrix("w", w)
    if x.shape[1] != w.shape[1]:
        msg = f"x has {x.shape[1]} columns, w has {w.shape[1]}: w must be (out, in)"
        raise ValueError(msg)
