"""Weights as a length and a direction for each unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import check_floating, check_matrix, check_shape

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def weight_norm_forward(g: Array, v: Array) -> Array:
    """Return w_i = g_i v_i / |v_i| for every row i; a row of zeros stays one.

    Salimans and Kingma, "Weight normalization" (2016), and
    ``torch.nn.utils.weight_norm``, which has NaN for a row of zeros.

    Parameters
    ----------
    g : (units, 1) float32 or float64
    v : (units, inputs)

    Returns
    -------
    (units, inputs)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import weight_norm_forward
    >>> weight_norm_forward(np.array([[10.0]]), np.array([[3.0, 4.0]])).tolist()
    [[6.0, 8.0]]
    """
    _check(g, v)
    return g * _direction(v)[0]


def weight_norm_backward(dw: Array, g: Array, v: Array) -> tuple[Array, Array]:
    """Return (dg, dv), with u_i = v_i / |v_i|.

    dg_i = dw_i . u_i and dv_i = g_i / |v_i| (dw_i - dg_i u_i): v moves across itself.

    Parameters
    ----------
    dw : (units, inputs)
        Gradient with respect to w.
    g, v
        As given to `weight_norm_forward`.

    Returns
    -------
    dg : (units, 1)
    dv : (units, inputs)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import weight_norm_backward
    >>> g, v = np.array([[10.0]]), np.array([[0.0, 2.0]])
    >>> dg, dv = weight_norm_backward(np.array([[1.0, 3.0]]), g, v)
    >>> dg.tolist(), dv.tolist()
    ([[3.0]], [[5.0, 0.0]])
    """
    _check(g, v)
    check_floating(v=v, dw=dw)
    check_shape("dw", dw, v.shape, "the shape of v")
    u, length = _direction(v)
    dg = (dw * u).sum(axis=1, keepdims=True)
    return dg, g / length * (dw - dg * u) * (u.any(axis=1, keepdims=True))


def _direction(v: Array) -> tuple[Array, Array]:
    """Return v / |v| and |v|, which counts as 1 for a row of zeros."""
    length = np.sqrt(np.square(v).sum(axis=1, keepdims=True))
    length = np.where(length > 0, length, 1)
    return v / length, length


def _check(g: Array, v: Array) -> None:
    check_floating(g=g, v=v)
    check_matrix("v", v)
    check_shape("g", g, (len(v), 1), "one length a row of v")
