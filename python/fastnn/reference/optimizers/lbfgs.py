"""Limited-memory BFGS, the specification of `fastnn.LBFGS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference.optimizers.wolfe import LinePoint, wolfe_search

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastnn.reference._checks import Array

    Pair = tuple[Array, Array]


def lbfgs_minimize(
    fun: Callable[[Array], tuple[float, Array]],
    x0: Array,
    *,
    lr: float = 1.0,
    max_iter: int = 20,
    max_eval: int | None = None,
    tolerance_grad: float = 1e-7,
    tolerance_change: float = 1e-9,
    history_size: int = 100,
    line_search_fn: str | None = "strong_wolfe",
) -> tuple[Array, float, int]:
    """Minimise a function of a vector by L-BFGS.

    Each iteration goes along ``d = -H g``, H an approximation of the inverse Hessian by
    the last pairs ``s = x' - x``, ``y = g' - g``, as far as `wolfe_search` says.

    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization"
    (1989); Nocedal and Wright, Numerical Optimization (2006), algorithm 7.5.

    Parameters
    ----------
    fun : callable
        ``fun(x) -> (value, gradient)``
    x0 : float array (n,)
    lr, max_iter, max_eval, tolerance_grad, tolerance_change, history_size, \
line_search_fn
        As of `fastnn.LBFGS`.

    Returns
    -------
    x : array (n,)
    value : float
        Of `fun` at x.
    n_iter : int
        Iterations.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import lbfgs_minimize
    >>> x, value, n_iter = lbfgs_minimize(
    ...     lambda x: (x @ x, 2 * x), np.array([3.0, 4.0])
    ... )
    >>> bool(np.allclose(x, 0.0)), value < 1e-20, n_iter
    (True, True, 2)
    """
    n_eval = 0

    def evaluate(x: Array) -> tuple[float, Array]:
        nonlocal n_eval
        n_eval += 1
        value, gradient = fun(x)
        return float(value), gradient

    most_eval = max_iter * 5 // 4 if max_eval is None else max_eval
    pairs: list[Pair] = []
    x = x0.copy()
    value, g = evaluate(x)
    n_iter = 0
    while np.abs(g).max() > tolerance_grad:
        d = direction(g, pairs)
        slope = float(g @ d)
        if slope >= 0 and pairs:  # H is lost in rounding
            pairs.clear()
            continue
        if slope > -tolerance_change:
            break
        first_step = lr if pairs else lr * min(1.0, 1.0 / float(np.abs(g).sum()))

        gradients: dict[float, Array] = {}

        def phi(
            t: float, x: Array = x, d: Array = d, kept: dict[float, Array] = gradients
        ) -> tuple[float, float]:
            value, kept[t] = evaluate(x + t * d)
            return value, float(kept[t] @ d)

        if line_search_fn is None:
            end = LinePoint(first_step, *phi(first_step))
        else:
            narrowest = tolerance_change / float(np.abs(d).max())
            end = wolfe_search(phi, value, slope, first_step, narrowest)
        if end.t == 0.0:  # nothing lower; perhaps along the gradient
            if not pairs:
                break
            pairs.clear()
            continue

        new_g = gradients[end.t]
        remember(pairs, end.t * d, new_g - g, history_size)
        change = abs(end.value - value)
        x, value, g = x + end.t * d, end.value, new_g
        n_iter += 1
        if end.t * np.abs(d).max() <= tolerance_change or change < tolerance_change:
            break
        if n_iter >= max_iter or n_eval >= most_eval:
            break
    return x, value, n_iter


def direction(g: Array, pairs: list[Pair]) -> Array:
    """Return -H g by the two loops of Nocedal and Wright, algorithm 7.4.

    ``H = (1 - r s y') H (1 - r y s') + r s s'`` with ``r = 1 / y's``, from the newest
    of the `pairs` (s, y), which are ordered from the oldest, to ``H0 = y's / y'y``.
    """
    d = -g
    if not pairs:
        return d
    alphas = []
    for s, y in reversed(pairs):
        alphas.append((s @ d) / (y @ s))
        d = d - alphas[-1] * y
    s, y = pairs[-1]
    d = d * ((y @ s) / (y @ y))
    for s, y in pairs:
        d = d + (alphas.pop() - (y @ d) / (y @ s)) * s
    return d


def remember(pairs: list[Pair], s: Array, y: Array, history_size: int) -> None:
    """Append a pair whose curvature is positive, and drop the oldest of too many."""
    if y @ s > 0:
        pairs.append((s, y))
        del pairs[:-history_size]
