"""A rectifier with a learned slope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import check_floating, check_matrix, check_shape

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def prelu_forward(x: Array, a: Array) -> Array:
    """Return y = x where x > 0, a x elsewhere.

    He et al., "Delving deep into rectifiers" (2015), and ``torch.nn.PReLU``.

    Parameters
    ----------
    x : (rows, columns) float32 or float64
    a : (1,) or (columns,)
        One slope for all columns, or one for each.

    Returns
    -------
    (rows, columns)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import prelu_forward
    >>> prelu_forward(np.array([[-2.0, 3.0]]), np.array([0.25])).tolist()
    [[-0.5, 3.0]]
    """
    _check(x, a)
    return np.where(x > 0, x, a * x)


def prelu_backward(dy: Array, x: Array, a: Array) -> tuple[Array, Array]:
    """Return (dx, da): da sums x dy where x <= 0 over all that share a slope.

    Parameters
    ----------
    dy : (rows, columns)
        Gradient with respect to y.
    x, a
        As given to `prelu_forward`.

    Returns
    -------
    dx : (rows, columns)
    da : (1,) or (columns,)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import prelu_backward
    >>> x, a = np.array([[-2.0, 3.0]]), np.array([0.25])
    >>> dx, da = prelu_backward(np.ones((1, 2)), x, a)
    >>> dx.tolist(), da.tolist()
    ([[0.25, 1.0]], [-2.0])
    """
    _check(x, a)
    check_floating(x=x, dy=dy)
    check_shape("dy", dy, x.shape, "the shape of x")
    da = np.where(x > 0, 0, x * dy).sum(axis=0)
    return np.where(x > 0, dy, a * dy), da if a.size > 1 else da.sum(keepdims=True)


def _check(x: Array, a: Array) -> None:
    check_floating(x=x, a=a)
    check_matrix("x", x)
    if a.shape != (1,):
        check_shape("a", a, x.shape[1:], "one slope, or one a column of x")
