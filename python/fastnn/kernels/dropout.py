"""Dropout on plain NumPy arrays: see `fastnn.kernels`."""

from __future__ import annotations

from numbers import Integral
from operator import index
from typing import TYPE_CHECKING

from fastnn._config import number
from fastnn._native import core

if TYPE_CHECKING:
    from fastnn.kernels._types import Array, Mask


def dropout_forward(
    x: Array,
    p: float,
    seed: int,
    step: int,
    *,
    layer: int = 0,
    out: tuple[Array | None, Mask | None] | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Mask]:
    """Drop each element with probability p and scale the others by 1 / (1 - p).

    y = x f with f = 0 where dropped and 1 / (1 - p), rounded to the dtype of x, where
    kept: Srivastava et al., "Dropout" (2014), inverted as torch and Keras do it, so
    that prediction needs no scaling. As f is multiplied, NaN and infinity stay visible.

    The mask is a pure function of (seed, layer, step, row, column), by the generator
    Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
    (2011): which bit comes from where is spelled out in `fastnn.reference.random`.

    Parameters
    ----------
    x : (rows, columns) float32 or float64
    p : float in [0, 1)
    seed : int in [0, 2^64)
    step : int >= 0
        Taken modulo 2^32; another step, another mask.
    layer : int in [0, 2^16), default 0
        Tells apart the dropout layers of one network.
    out : (y, mask), optional
        Arrays that receive the results, or None for a fresh one; y may be `x`.
    n_threads : int, optional
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    y : (rows, columns)
    mask : (rows, columns) bool
        True where kept, for `dropout_backward`.

    Raises
    ------
    ValueError
        p, seed, step or layer out of range, or x not two-dimensional.
    TypeError
        x neither float32 nor float64; seed, step or layer not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import dropout_forward
    >>> y, mask = dropout_forward(np.ones((2, 3)), 0.5, seed=0, step=0)
    >>> bool((y == 2.0 * mask).all())
    True
    """
    for name, value in (("seed", seed), ("step", step), ("layer", layer)):
        if not isinstance(value, Integral):
            raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    seed, step, layer = index(seed), index(step), index(layer)
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must be in [0, 2^64), got {seed}")
    if step < 0:
        raise ValueError(f"step must be at least 0, got {step}")
    if not 0 <= layer < 1 << 16:
        raise ValueError(f"layer must be in [0, 65536), got {layer}")
    return core.dropout_forward(
        x, number("p", p), seed, step & 0xFFFFFFFF, layer, out, n_threads
    )


def dropout_backward(
    dy: Array,
    mask: Mask,
    p: float,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Return dx = dy f, with the f of `dropout_forward`.

    Parameters
    ----------
    dy : (rows, columns) float32 or float64
    mask : (rows, columns) bool
        As `dropout_forward` returned it.
    p : float in [0, 1)
    out : array like `dy`, optional
        Receives the result; may be `dy`.
    n_threads : int, optional
        As in `dropout_forward`.

    Returns
    -------
    dx : (rows, columns)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import dropout_backward
    >>> dropout_backward(np.ones((1, 2)), np.array([[True, False]]), 0.5)
    array([[2., 0.]])
    """
    return core.dropout_backward(dy, mask, number("p", p), out, n_threads)
