"""Batch and layer normalisation on plain NumPy arrays: see `fastnn.kernels`.

Both map x to xhat = (x - mean) inv_std, inv_std = 1 / sqrt(var + eps), with the biased
variance, and then to y = gamma xhat + beta. Their gradient, with E the mean over the
elements that share a statistic and g = dy gamma, is::

    dx = inv_std (g - E[g] - xhat E[g xhat])
    dgamma = sum over rows of dy xhat        dbeta = sum over rows of dy
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn._config import number
from fastnn._native import core

if TYPE_CHECKING:
    from fastnn.kernels._types import Array


def batchnorm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    eps: float = 1e-5,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Array, Array]:
    """Normalise every column by the batch's own mean and variance (training).

    y = gamma (x - mean) / sqrt(var + eps) + beta, var biased: Ioffe and Szegedy,
    "Batch normalization" (2015), and ``torch.nn.BatchNorm1d``. Running statistics are
    the caller's: torch averages the *unbiased* variance, var rows / (rows - 1), and
    Keras the biased one, with eps = 1e-3.

    Parameters
    ----------
    x : (rows, columns) float32 or float64, at least one row
    gamma, beta : (columns,)
    eps : float, default 1e-5
        Added to the variance, > 0.
    out : array like `x`, optional
        Receives y; may be `x`.
    n_threads : int, optional
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    y : (rows, columns)
    mean, inv_std : (columns,)
        For `batchnorm_backward`.

    Raises
    ------
    ValueError
        No rows, shapes that do not fit, eps <= 0.
    TypeError
        Arrays that are not all float32 or all float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import batchnorm_forward
    >>> x = np.array([[1.0], [3.0]])
    >>> y, mean, inv_std = batchnorm_forward(x, np.ones(1), np.zeros(1), eps=1e-12)
    >>> y.round(6).tolist(), mean.tolist()
    ([[-1.0], [1.0]], [2.0])
    """
    return core.batchnorm_forward(x, gamma, beta, number("eps", eps), out, n_threads)


def batchnorm_backward(
    dy: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    inv_std: Array,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Array, Array]:
    """Return (dx, dgamma, dbeta), through the batch's statistics too.

    With n rows::

        dx = gamma inv_std (dy - dbeta / n - xhat dgamma / n)
        dgamma = sum over rows of dy xhat        dbeta = sum over rows of dy

    Parameters
    ----------
    dy : (rows, columns)
        Gradient with respect to y.
    x, gamma
        As given to `batchnorm_forward`.
    mean, inv_std : (columns,)
        As it returned them.
    out : array like `x`, optional
        Receives dx; may be `dy`.
    n_threads : int, optional
        As in `batchnorm_forward`.

    Returns
    -------
    dx : (rows, columns)
    dgamma, dbeta : (columns,)

    Examples
    --------
    A constant gradient moves no normalised value:

    >>> import numpy as np
    >>> from fastnn.kernels import batchnorm_backward, batchnorm_forward
    >>> x, one = np.array([[1.0], [3.0]]), np.ones(1)
    >>> _, mean, inv_std = batchnorm_forward(x, one, one)
    >>> dx, dgamma, dbeta = batchnorm_backward(np.ones((2, 1)), x, one, mean, inv_std)
    >>> dx.tolist(), dbeta.tolist()
    ([[0.0], [0.0]], [2.0])
    """
    return core.batchnorm_backward(dy, x, gamma, mean, inv_std, out, n_threads)


def batchnorm_inference(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = 1e-5,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Normalise every column by fixed statistics (prediction).

    y = gamma (x - running_mean) / sqrt(running_var + eps) + beta.

    Parameters
    ----------
    x : (rows, columns) float32 or float64
    gamma, beta, running_mean, running_var : (columns,)
    eps : float, default 1e-5
    out : array like `x`, optional
        Receives the result; may be `x`.
    n_threads : int, optional
        As in `batchnorm_forward`.

    Returns
    -------
    y : (rows, columns)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import batchnorm_inference
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> batchnorm_inference(np.array([[5.0]]), one, zero, 3 * one, 4 * one).round(4)
    array([[1.]])
    """
    return core.batchnorm_inference(
        x, gamma, beta, running_mean, running_var, number("eps", eps), out, n_threads
    )


def layernorm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    eps: float = 1e-5,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Array, Array]:
    """Normalise every row by its own mean and variance.

    y = gamma (x - mean) / sqrt(var + eps) + beta, mean and biased var of each row: Ba,
    Kiros and Hinton, "Layer normalization" (2016), and ``torch.nn.LayerNorm``.

    Parameters
    ----------
    x : (rows, columns) float32 or float64, at least one column
    gamma, beta : (columns,)
    eps : float, default 1e-5
        Added to the variance, > 0.
    out : array like `x`, optional
        Receives y; may be `x`.
    n_threads : int, optional
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    y : (rows, columns)
    mean, inv_std : (rows,)
        For `layernorm_backward`.

    Raises
    ------
    ValueError
        No columns, shapes that do not fit, eps <= 0.
    TypeError
        Arrays that are not all float32 or all float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import layernorm_forward
    >>> y, mean, _ = layernorm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2))
    >>> y.round(4).tolist(), mean.tolist()
    ([[-1.0, 1.0]], [2.0])
    """
    return core.layernorm_forward(x, gamma, beta, number("eps", eps), out, n_threads)


def layernorm_backward(
    dy: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    inv_std: Array,
    *,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[Array, Array, Array]:
    """Return (dx, dgamma, dbeta), through the rows' statistics too.

    With g = dy gamma and E the mean over columns::

        dx = inv_std (g - E[g] - xhat E[g xhat])
        dgamma = sum over rows of dy xhat        dbeta = sum over rows of dy

    Parameters
    ----------
    dy : (rows, columns)
        Gradient with respect to y.
    x, gamma
        As given to `layernorm_forward`.
    mean, inv_std : (rows,)
        As it returned them.
    out : array like `x`, optional
        Receives dx; may be `dy`.
    n_threads : int, optional
        As in `layernorm_forward`.

    Returns
    -------
    dx : (rows, columns)
    dgamma, dbeta : (columns,)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import layernorm_backward, layernorm_forward
    >>> x, one = np.array([[1.0, 3.0]]), np.ones(2)
    >>> _, mean, inv_std = layernorm_forward(x, one, one)
    >>> dx, _, dbeta = layernorm_backward(np.ones((1, 2)), x, one, mean, inv_std)
    >>> dx.tolist(), dbeta.tolist()
    ([[0.0, 0.0]], [1.0, 1.0])
    """
    return core.layernorm_backward(dy, x, gamma, mean, inv_std, out, n_threads)
