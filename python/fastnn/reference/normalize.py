"""Batch normalisation (statistics of a column), layer normalisation (of a row).

Both map x to xhat = (x - mean) inv_std, inv_std = 1 / sqrt(var + eps), with the biased
variance, and then to y = gamma xhat + beta. Their gradient, with E the mean over the
elements that share a statistic and g = dL/dxhat = dL/dy gamma, is::

    dx = inv_std (g - E[g] - xhat E[g xhat])
    dgamma = sum over rows of dy xhat        dbeta = sum over rows of dy

Root-mean-square normalisation of a row is the latter without mean and beta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import (
    check_floating,
    check_matrix,
    check_range,
    check_shape,
    check_threads,
    stored,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


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
        As the kernel has it; no matter here.

    Returns
    -------
    y : (rows, columns)
    mean, inv_std : (columns,)
        For `batchnorm_backward`.

    Raises
    ------
    ValueError
        No rows, shapes that do not fit, eps <= 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import batchnorm_forward
    >>> x = np.array([[1.0], [3.0]])
    >>> y, mean, inv_std = batchnorm_forward(x, np.ones(1), np.zeros(1), eps=1e-12)
    >>> y.round(6).tolist(), mean.tolist()
    ([[-1.0], [1.0]], [2.0])
    """
    check_threads(n_threads)
    _check(x, eps, gamma=gamma, beta=beta)
    check_range("rows of x", len(x), len(x) > 0, "at least 1 (a batch's statistics)")
    mean = x.mean(axis=0)
    y = x - mean
    inv_std = 1.0 / np.sqrt(np.square(y).mean(axis=0) + eps)
    y *= inv_std * gamma
    y += beta
    return stored(y, out), mean, inv_std


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

    Formulas at the head of the module; E is the mean over rows.

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
        As the kernel has it; no matter here.

    Returns
    -------
    dx : (rows, columns)
    dgamma, dbeta : (columns,)

    Examples
    --------
    A constant gradient moves no normalised value:

    >>> import numpy as np
    >>> from fastnn.reference import batchnorm_backward, batchnorm_forward
    >>> x, one = np.array([[1.0], [3.0]]), np.ones(1)
    >>> _, mean, inv_std = batchnorm_forward(x, one, one)
    >>> dx, dgamma, dbeta = batchnorm_backward(np.ones((2, 1)), x, one, mean, inv_std)
    >>> dx.tolist(), dbeta.tolist()
    ([[0.0], [0.0]], [2.0])
    """
    check_threads(n_threads)
    _check(x, 1.0, gamma=gamma, mean=mean, inv_std=inv_std)
    check_floating(x=x, dy=dy)
    check_shape("dy", dy, x.shape, "the shape of x")
    rows = len(x)
    check_range("rows of x", rows, rows > 0, "at least 1 (a batch's statistics)")
    xhat = x - mean
    xhat *= inv_std
    dbeta = dy.sum(axis=0)
    dgamma = (dy * xhat).sum(axis=0)
    # E[g] = gamma dbeta / rows and E[g xhat] = gamma dgamma / rows
    xhat *= dgamma / rows
    dx = dy - xhat
    dx -= dbeta / rows
    dx *= gamma * inv_std
    return stored(dx, out), dgamma, dbeta


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
    x : (rows, columns)
    gamma, beta, running_mean, running_var : (columns,)
    eps : float, default 1e-5
    out : array like `x`, optional
        Receives y; may be `x`.
    n_threads : int, optional
        As the kernel has it; no matter here.

    Returns
    -------
    y : (rows, columns)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import batchnorm_inference
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> batchnorm_inference(np.array([[5.0]]), one, zero, 3 * one, 4 * one).round(4)
    array([[1.]])
    """
    check_threads(n_threads)
    _check(
        x,
        eps,
        gamma=gamma,
        beta=beta,
        running_mean=running_mean,
        running_var=running_var,
    )
    y = x - running_mean
    y *= gamma / np.sqrt(running_var + eps)
    y += beta
    return stored(y, out)


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
        As the kernel has it; no matter here.

    Returns
    -------
    y : (rows, columns)
    mean, inv_std : (rows,)
        For `layernorm_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import layernorm_forward
    >>> y, mean, _ = layernorm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2))
    >>> y.round(4).tolist(), mean.tolist()
    ([[-1.0, 1.0]], [2.0])
    """
    check_threads(n_threads)
    _check(x, eps, gamma=gamma, beta=beta)
    check_range("columns of x", x.shape[1], x.shape[1] > 0, "at least 1")
    with np.errstate(over="ignore"):
        mean = x.mean(axis=1)
    large = np.isinf(mean)
    mean[large] = (x[large] / x.shape[1]).sum(axis=1)
    y = x - mean[:, None]
    inv_std = _inverse_root_mean_square(y, eps)
    y *= inv_std[:, None]
    y *= gamma
    y += beta
    return stored(y, out), mean, inv_std


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

    Formulas at the head of the module; E is the mean over columns.

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
        As the kernel has it; no matter here.

    Returns
    -------
    dx : (rows, columns)
    dgamma, dbeta : (columns,)

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import layernorm_backward, layernorm_forward
    >>> x, one = np.array([[1.0, 3.0]]), np.ones(2)
    >>> _, mean, inv_std = layernorm_forward(x, one, one)
    >>> dx, _, dbeta = layernorm_backward(np.ones((1, 2)), x, one, mean, inv_std)
    >>> dx.tolist(), dbeta.tolist()
    ([[0.0, 0.0]], [1.0, 1.0])
    """
    check_threads(n_threads)
    _check(x, 1.0, gamma=gamma)
    check_floating(x=x, dy=dy, mean=mean, inv_std=inv_std)
    check_shape("dy", dy, x.shape, "the shape of x")
    check_shape("mean", mean, x.shape[:1], "one number a row of x")
    check_shape("inv_std", inv_std, x.shape[:1], "one number a row of x")
    check_range("columns of x", x.shape[1], x.shape[1] > 0, "at least 1")
    xhat = (x - mean[:, None]) * inv_std[:, None]
    g = dy * gamma
    dx = g - g.mean(axis=1, keepdims=True)
    dx -= xhat * (g * xhat).mean(axis=1, keepdims=True)
    dx *= inv_std[:, None]
    return stored(dx, out), (dy * xhat).sum(axis=0), dy.sum(axis=0)


def rmsnorm_forward(
    x: Array, gamma: Array, eps: float | None = None
) -> tuple[Array, Array]:
    """Divide every row by its root mean square.

    y = gamma x / sqrt(mean(x^2) + eps): Zhang and Sennrich, "Root mean square layer
    normalization" (2019), and ``torch.nn.RMSNorm``.

    Parameters
    ----------
    x : (rows, columns) float32 or float64, at least one column
    gamma : (columns,)
    eps : float, optional
        Added to the mean square, > 0. None: that of the dtype.

    Returns
    -------
    y : (rows, columns)
    inv_rms : (rows,)
        For `rmsnorm_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import rmsnorm_forward
    >>> y, inv_rms = rmsnorm_forward(np.array([[1.0, 7.0]]), np.ones(2))
    >>> y.round(4).tolist(), inv_rms.round(4).tolist()
    ([[0.2, 1.4]], [0.2])
    """
    check_floating(x=x, gamma=gamma)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    _check(x, eps, gamma=gamma)
    check_range("columns of x", x.shape[1], x.shape[1] > 0, "at least 1")
    inv_rms = _inverse_root_mean_square(x, eps)
    return x * inv_rms[:, None] * gamma, inv_rms


def rmsnorm_backward(
    dy: Array, x: Array, gamma: Array, inv_rms: Array
) -> tuple[Array, Array]:
    """Return (dx, dgamma), through the rows' mean squares too.

    dx = inv_rms (g - xhat E[g xhat]), g = dy gamma, E the mean over columns.

    Parameters
    ----------
    dy : (rows, columns)
        Gradient with respect to y.
    x, gamma
        As given to `rmsnorm_forward`.
    inv_rms : (rows,)
        As it returned it.

    Returns
    -------
    dx : (rows, columns)
    dgamma : (columns,)

    Examples
    --------
    The outputs do not depend on the length of x:

    >>> import numpy as np
    >>> from fastnn.reference import rmsnorm_backward, rmsnorm_forward
    >>> x, one = np.array([[1.0, 7.0]]), np.ones(2)
    >>> _, inv_rms = rmsnorm_forward(x, one)
    >>> dx, _ = rmsnorm_backward(np.ones((1, 2)), x, one, inv_rms)
    >>> bool(abs((dx * x).sum()) < 1e-12)
    True
    """
    _check(x, 1.0, gamma=gamma)
    check_floating(x=x, dy=dy, inv_rms=inv_rms)
    check_shape("dy", dy, x.shape, "the shape of x")
    check_shape("inv_rms", inv_rms, x.shape[:1], "one number a row of x")
    xhat = x * inv_rms[:, None]
    g = dy * gamma
    dx = g - xhat * (g * xhat).mean(axis=1, keepdims=True)
    dx *= inv_rms[:, None]
    return dx, (dy * xhat).sum(axis=0)


def _inverse_root_mean_square(x: Array, eps: float) -> Array:
    """1 / sqrt(mean(x^2) + eps) of every row, also where the squares overflow.

    A normal number: the kernels' threads flush others to zero.
    """
    with np.errstate(over="ignore"):
        square = np.square(x).mean(axis=1)
    inverse: Array = 1.0 / np.sqrt(square + x.dtype.type(eps))
    large = np.isinf(square)
    if large.any():
        top = abs(x[large]).max(axis=1)
        # of x / top, and eps is nothing beside it
        root = np.sqrt(np.square(x[large] / top[:, None]).mean(axis=1))
        inverse[large] = np.maximum(1.0 / top / root, np.finfo(x.dtype).tiny)
    return inverse


def _check(x: Array, eps: float, **columns: Array) -> None:
    check_floating(x=x, **columns)
    check_matrix("x", x)
    for name, array in columns.items():
        check_shape(name, array, x.shape[1:], "one number a column of x")
    check_range("eps", eps, 0.0 < eps < np.inf, "positive and finite")
