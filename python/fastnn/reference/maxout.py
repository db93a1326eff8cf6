"""The largest of several affine maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastnn.reference._checks import check_floating, check_matrix, check_range
from fastnn.reference.dense import dense_backward, dense_forward

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def maxout_forward(
    x: Array, w: Array, b: Array, pieces: int
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return y_j = max_k (x . w_kj + b_kj), and the k that has it.

    Of equal pieces the one with the smallest k wins. Goodfellow et al., "Maxout
    networks" (2013).

    Parameters
    ----------
    x : (rows, inputs) float32 or float64
    w : (pieces * units, inputs)
        Row k * units + j is piece k of unit j.
    b : (pieces * units,)
    pieces : int >= 2

    Returns
    -------
    y : (rows, units)
    winner : (rows, units) int
        For `maxout_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import maxout_forward
    >>> w, b = np.array([[1.0], [-1.0]]), np.zeros(2)
    >>> y, winner = maxout_forward(np.array([[-3.0], [2.0]]), w, b, 2)
    >>> y.tolist(), winner.tolist()
    ([[3.0], [2.0]], [[1], [0]])
    """
    check_floating(x=x, w=w, b=b)
    check_matrix("w", w)
    check_range("pieces", pieces, pieces >= 2, "at least 2")
    check_range("rows of w", len(w), len(w) % pieces == 0, f"a multiple of {pieces}")
    z = dense_forward(x, w, b).reshape(len(x), pieces, -1)
    return z.max(axis=1), z.argmax(axis=1)


def maxout_backward(
    dy: Array, x: Array, w: Array, winner: npt.NDArray[np.integer[Any]], pieces: int
) -> tuple[Array, Array, Array]:
    """Return (dx, dw, db): the gradient goes to the pieces that won.

    Parameters
    ----------
    dy : (rows, units)
        Gradient with respect to y.
    x, w, pieces
        As given to `maxout_forward`.
    winner : (rows, units) int
        As it returned it.

    Returns
    -------
    dx : (rows, inputs)
    dw : (pieces * units, inputs)
    db : (pieces * units,)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import maxout_backward
    >>> x, w = np.array([[-3.0]]), np.array([[1.0], [-1.0]])
    >>> dx, dw, db = maxout_backward(np.array([[2.0]]), x, w, np.array([[1]]), 2)
    >>> dx.tolist(), dw.tolist(), db.tolist()
    ([[-2.0]], [[0.0], [-6.0]], [0.0, 2.0])
    """
    won = winner[:, None, :] == np.arange(pieces)[None, :, None]
    dz = (won * dy[:, None, :]).reshape(len(dy), -1)
    return dense_backward(dz, x, w, dz)
