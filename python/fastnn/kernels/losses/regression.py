"""Losses for numbers: see `fastnn.kernels.losses`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import number
from fastnn._native import core

if TYPE_CHECKING:
    import numpy.typing as npt

    from fastnn.kernels._types import Array


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
        Not negative, finite, with a positive sum.
    out : array like `outputs`, optional
        Receives the gradient; must not overlap the arguments.
    n_threads : int, optional
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    loss : float
        The mean over rows and outputs.
    doutputs : the shape of `outputs`

    Raises
    ------
    ValueError
        Shapes that do not fit, no element, weights as above.
    TypeError
        `outputs` neither float32 nor float64, `y` not numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import mse
    >>> loss, doutputs = mse(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    >>> loss, doutputs.tolist()
    (5.0, [1.0, 3.0])
    """
    return core.elementwise_loss(
        outputs, y, {"kind": "mse"}, sample_weight, out, n_threads
    )


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
    Arguments, results and errors as of `mse`, but for the sum over outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import squared_error
    >>> loss, doutputs = squared_error(np.array([[1.0, 3.0]]), np.zeros((1, 2)))
    >>> loss, doutputs.tolist()
    (5.0, [[1.0, 3.0]])
    """
    return core.elementwise_loss(
        outputs, y, {"kind": "squared_error"}, sample_weight, out, n_threads
    )


def mae(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Mean absolute error: l = |d|, dl/do = sign(d), 0 at d = 0, d = outputs - y.

    Arguments, results and errors as of `mse`; ``torch.nn.functional.l1_loss``.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import mae
    >>> loss, doutputs = mae(np.array([1.0, 3.0]), np.array([1.0, 5.0]))
    >>> loss, doutputs.tolist()
    (1.0, [0.0, -0.5])
    """
    return core.elementwise_loss(
        outputs, y, {"kind": "mae"}, sample_weight, out, n_threads
    )


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

    Returns
    -------
    loss, doutputs
        As of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import huber
    >>> loss, doutputs = huber(np.array([0.5, 3.0]), np.zeros(2))
    >>> loss, doutputs.tolist()
    (1.3125, [0.25, 0.5])
    """
    return core.elementwise_loss(
        outputs,
        y,
        {"kind": "huber", "delta": number("delta", delta)},
        sample_weight,
        out,
        n_threads,
    )


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
    Arguments, results and errors as of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import log_cosh
    >>> loss, doutputs = log_cosh(np.array([1.0]), np.zeros(1))
    >>> round(loss, 6), doutputs.round(6).tolist()
    (0.433781, [0.761594])
    """
    return core.elementwise_loss(
        outputs, y, {"kind": "log_cosh"}, sample_weight, out, n_threads
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

    Returns
    -------
    loss, doutputs
        As of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import quantile_loss
    >>> loss, doutputs = quantile_loss(np.array([0.0, 4.0]), np.array([1, 2]), q=0.75)
    >>> loss, doutputs.tolist()
    (0.625, [-0.375, 0.125])
    """
    return core.elementwise_loss(
        outputs,
        y,
        {"kind": "quantile", "q": [number("q", q)]},
        sample_weight,
        out,
        n_threads,
    )


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

    Raises
    ------
    ValueError
        As `mse`; y below 0 or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import poisson_nll
    >>> loss, doutputs = poisson_nll(np.zeros(2), np.array([0, 3]))
    >>> loss, doutputs.tolist()
    (1.0, [0.5, -1.0])
    """
    config = {"kind": "poisson", "sum_outputs": sum_outputs}
    return core.elementwise_loss(outputs, y, config, sample_weight, out, n_threads)


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
    >>> from fastnn.kernels import gaussian_nll
    >>> loss, doutputs = gaussian_nll(np.array([[1.0, 0.0]]), np.array([[4.0]]))
    >>> loss, doutputs.tolist()
    (4.5, [[-3.0, -4.0]])
    """
    config = {"kind": "gaussian", "eps": number("eps", eps)}
    return core.elementwise_loss(outputs, y, config, sample_weight, out, n_threads)
