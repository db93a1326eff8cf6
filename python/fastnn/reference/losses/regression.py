"""Losses for numbers: see `fastnn.reference.losses`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastnn.reference._checks import (
    check_floating,
    check_matrix,
    check_range,
    check_threads,
    stored,
)
from fastnn.reference.losses._rows import element_mean, element_targets

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def mse(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Mean squared error: l = d^2, dl/do = 2 d, with d = outputs - y.

    scikit-learn's solvers minimise half of it.

    Parameters
    ----------
    outputs : (rows,) or (rows, k) float32 or float64, at least one element
    y : numbers, the shape of `outputs`
    sample_weight : (rows,), optional
    out : array like `outputs`, optional
        Receives the gradient.
    n_threads : int, optional
        As the kernel has it; no matter here.

    Returns
    -------
    loss : float
        The mean over rows and outputs.
    doutputs : the shape of `outputs`

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import mse
    >>> loss, doutputs = mse(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    >>> loss, doutputs.tolist()
    (5.0, [1.0, 3.0])
    """
    check_threads(n_threads)
    d = outputs - element_targets(outputs, y)
    return element_mean(d * d, 2.0 * d, sample_weight, out=out)


def squared_error(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Half the squared error, summed over outputs: l = d^2 / 2, dl/do = d.

    d = outputs - y. The gradient is the one scikit-learn's MLPRegressor follows.
    Arguments and results as of `mse`, but for the sum over outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import squared_error
    >>> loss, doutputs = squared_error(np.array([[1.0, 3.0]]), np.zeros((1, 2)))
    >>> loss, doutputs.tolist()
    (5.0, [[1.0, 3.0]])
    """
    check_threads(n_threads)
    d = outputs - element_targets(outputs, y)
    return element_mean(0.5 * d * d, d, sample_weight, sum_outputs=True, out=out)


def mae(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Mean absolute error: l = |d|, dl/do = sign(d), 0 at d = 0, d = outputs - y.

    Arguments and results as of `mse`; ``torch.nn.functional.l1_loss``.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import mae
    >>> loss, doutputs = mae(np.array([1.0, 3.0]), np.array([1.0, 5.0]))
    >>> loss, doutputs.tolist()
    (1.0, [0.0, -0.5])
    """
    check_threads(n_threads)
    d = outputs - element_targets(outputs, y)
    return element_mean(np.abs(d), np.sign(d), sample_weight, out=out)


def huber(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    delta: float = 1.0,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Huber's loss: a parabola that goes on as a line from |d| = delta.

    With d = outputs - y and c = min(max(d, -delta), delta)::

        l = c (d - c / 2)        dl/do = c

    which is d^2 / 2 inside and delta (|d| - delta / 2) outside: Huber, "Robust
    estimation of a location parameter" (1964), and ``torch.nn.functional.huber_loss``.

    Parameters
    ----------
    outputs, y, sample_weight, out, n_threads
        As of `mse`.
    delta : float, default 1
        > 0, in the unit of `y`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import huber
    >>> loss, doutputs = huber(np.array([0.5, 3.0]), np.zeros(2))
    >>> loss, doutputs.tolist()
    (1.3125, [0.25, 0.5])
    """
    check_threads(n_threads)
    check_range("delta", delta, 0.0 < delta < np.inf, "positive and finite")
    d = outputs - element_targets(outputs, y)
    c = np.clip(d, -delta, delta)
    return element_mean(c * (d - 0.5 * c), c, sample_weight, out=out)


def log_cosh(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Log of the hyperbolic cosine: l = log cosh d, dl/do = tanh d, d = outputs - y.

    A parabola d^2 / 2 near 0 and a line |d| - log 2 far from it, smooth everywhere.
    Arguments and results as of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import log_cosh
    >>> loss, doutputs = log_cosh(np.array([1.0]), np.zeros(1))
    >>> round(loss, 6), doutputs.round(6).tolist()
    (0.433781, [0.761594])
    """
    check_threads(n_threads)
    d = outputs - element_targets(outputs, y)
    size = np.abs(d)
    near = 0.5 * np.log1p(np.sinh(np.minimum(size, 1.0)) ** 2)
    far = size + np.log1p(np.exp(-2.0 * size)) - np.log(d.dtype.type(2))
    return element_mean(
        np.where(size < 1.0, near, far), np.tanh(d), sample_weight, out=out
    )


def quantile_loss(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    q: float = 0.5,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Pinball loss, least where the outputs are the q-quantile of y.

    With e = y - outputs::

        l = max(q e, (q - 1) e)        dl/do = -q if e > 0, 1 - q if e < 0, else 0

    Koenker and Bassett, "Regression quantiles" (1978).

    Parameters
    ----------
    outputs, y, sample_weight, out, n_threads
        As of `mse`.
    q : float in (0, 1), default 0.5

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import quantile_loss
    >>> loss, doutputs = quantile_loss(np.array([0.0, 4.0]), np.array([1, 2]), q=0.75)
    >>> loss, doutputs.tolist()
    (0.625, [-0.375, 0.125])
    """
    check_threads(n_threads)
    check_range("q", q, 0.0 < q < 1.0, "in (0, 1)")
    e = element_targets(outputs, y) - outputs
    slope = np.where(e > 0.0, -q, np.where(e < 0.0, 1.0 - q, e)).astype(e.dtype)
    return element_mean(np.maximum(q * e, (q - 1.0) * e), slope, sample_weight, out=out)


def poisson_nll(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sum_outputs: bool = False,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Poisson's negative log-likelihood of counts y, whose log rates are the outputs.

    With z = outputs::

        l = exp(z) - y z        dl/dz = exp(z) - y

    which leaves out log(y!), a constant: ``torch.nn.functional.poisson_nll_loss``.

    Parameters
    ----------
    outputs, sample_weight, out, n_threads
        As of `mse`.
    y : numbers >= 0, the shape of `outputs`
    sum_outputs : bool, default False
        Whether a row's loss is the sum over its outputs instead of their mean.

    Returns
    -------
    loss, doutputs
        As of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import poisson_nll
    >>> loss, doutputs = poisson_nll(np.zeros(2), np.array([0, 3]))
    >>> loss, doutputs.tolist()
    (1.0, [0.5, -1.0])
    """
    check_threads(n_threads)
    t = element_targets(outputs, y)
    low = float(t.min())
    check_range("y", low, low >= 0.0, "at least 0")
    with np.errstate(over="ignore"):
        rate = np.exp(outputs)
        product = t * outputs
    finite = np.isfinite(rate)  # else t z may overflow too, and inf - inf is no number
    return element_mean(
        np.subtract(rate, product, where=finite, out=rate.copy()),
        rate - t,
        sample_weight,
        sum_outputs=sum_outputs,
        out=out,
    )


def gaussian_nll(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    eps: float = 1e-6,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Likelihood of normal distributions, of which outputs give mean and log variance.

    The first half of the outputs are means m, the second are log variances. With
    v = max(log variance, log eps)::

        l = (v + (m - y)^2 exp(-v)) / 2
        dl/dm = (m - y) exp(-v)        dl/dv = (1 - (m - y)^2 exp(-v)) / 2

    and 0 where the variance is below eps; log(2 pi) / 2, a constant, is left out: Nix
    and Weigend, "Estimating the mean and variance of the target probability
    distribution" (1994), and ``torch.nn.functional.gaussian_nll_loss``.

    Parameters
    ----------
    outputs : (rows, 2 k) float32 or float64, at least one row and k >= 1
    y : numbers, (rows, k)
    eps : float > 0, default 1e-6
        The least variance.
    sample_weight, out, n_threads
        As of `mse`.

    Returns
    -------
    loss : float
        The mean over rows and values.
    doutputs : the shape of `outputs`

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import gaussian_nll
    >>> loss, doutputs = gaussian_nll(np.array([[1.0, 0.0]]), np.array([[4.0]]))
    >>> loss, doutputs.tolist()
    (4.5, [[-3.0, -4.0]])
    """
    check_threads(n_threads)
    check_floating(outputs=outputs)
    check_matrix("outputs", outputs)
    k, rest = divmod(outputs.shape[1], 2)
    check_range("columns of outputs", 2 * k + rest, k > 0 and not rest, "even, above 0")
    check_range("eps", eps, 0.0 < eps < np.inf, "positive and finite")
    mean, given = outputs[:, :k], outputs[:, k:]
    log_variance = np.maximum(given, np.log(outputs.dtype.type(eps)))
    # d in standard deviations: d^2 may overflow where it counts for nothing
    inverse = np.exp(-0.5 * log_variance)
    d = (mean - element_targets(mean, y)) * inverse
    with np.errstate(over="ignore"):
        excess = 0.5 * d * d
    loss, slope = element_mean(0.5 * log_variance + excess, d * inverse, sample_weight)
    spread = np.where(given <= np.log(eps), 0.0, 0.5 - excess).astype(outputs.dtype)
    _, slope_of_spread = element_mean(spread, spread, sample_weight)
    return loss, stored(np.concatenate([slope, slope_of_spread], axis=1), out)
