"""Losses on plain NumPy arrays: see `fastnn.kernels`.

Every loss is a weighted mean over rows, L = sum_i w_i l_i / sum_i w_i with w_i = 1
unless `sample_weight` says otherwise, and returns (L, dL/d outputs). Where a row has
several outputs, l_i is the mean over them, unless a loss says otherwise; the
cross-entropy of softmax is one number a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn._config import number
from fastnn._native import core

if TYPE_CHECKING:
    import numpy.typing as npt

    from fastnn.kernels._types import Array


def softmax_cross_entropy(
    logits: Array,
    y: npt.ArrayLike,
    *,
    label_smoothing: float = 0.0,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Cross-entropy of softmax(logits) against classes or rows of probabilities.

    With k classes, p = softmax(z) and q the target, smoothed by s::

        q <- (1 - s) q + s / k
        l = -sum_j q_j log p_j        dl/dz = p sum_j q_j - q

    log p = z - max z - log sum exp(z - max z), so that no logit overflows. Smoothing
    is that of Szegedy et al., "Rethinking the Inception architecture" (2016), and of
    ``torch.nn.functional.cross_entropy``; torch divides weighted class means by other
    sums, the mean over rows agrees.

    Parameters
    ----------
    logits : (rows, classes) float32 or float64, at least one row and one class
    y : (rows,) integers in [0, classes), or (rows, classes) probabilities
        Rows of probabilities need not sum to 1; the gradient stays exact.
    label_smoothing : float in [0, 1], default 0
    sample_weight : (rows,), optional
        Not negative, finite, with a positive sum.
    out : array like `logits`, optional
        Receives the gradient; must not overlap the arguments.
    n_threads : int, optional
        None: one thread unless the work is large. Bits do not depend on it.

    Returns
    -------
    loss : float
    dlogits : (rows, classes)

    Raises
    ------
    ValueError
        Shapes that do not fit, a label outside [0, classes), weights as above.
    TypeError
        Labels that are not integers, logits neither float32 nor float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import softmax_cross_entropy
    >>> loss, dlogits = softmax_cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 6), dlogits.tolist()
    (0.693147, [[-0.5, 0.5]])
    """
    return core.softmax_cross_entropy(
        logits,
        y,
        number("label_smoothing", label_smoothing),
        sample_weight,
        out,
        n_threads,
    )


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


def binary_cross_entropy(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    pos_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    sum_outputs: bool = False,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Cross-entropy of sigmoid(outputs) against one or many labels in [0, 1].

    With z = outputs, the label smoothed, t = y (1 - s) + s / 2, and p = pos_weight::

        l = (1 - t) z + (1 + (p - 1) t) softplus(-z)
        dl/dz = (1 + (p - 1) t) sigmoid(z) - p t

    which is -p t log sigmoid(z) - (1 - t) log(1 - sigmoid(z)) without its overflow:
    ``torch.nn.functional.binary_cross_entropy_with_logits``; the smoothing is Keras'.

    Parameters
    ----------
    outputs : (rows,) or (rows, k) float32 or float64, at least one element
        Logits.
    y : numbers in [0, 1], the shape of `outputs`
    pos_weight : float or (k,), default 1
        Weight of the positive part, > 0.
    label_smoothing : float in [0, 1], default 0
    sum_outputs : bool, default False
        Whether a row's loss is the sum over its outputs instead of their mean.
    sample_weight, out, n_threads
        As of `mse`.

    Returns
    -------
    loss : float
        The mean over rows and outputs.
    doutputs : the shape of `outputs`

    Raises
    ------
    ValueError
        As `mse`; y outside [0, 1], a parameter out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import binary_cross_entropy
    >>> loss, doutputs = binary_cross_entropy(np.zeros(1), np.ones(1))
    >>> round(loss, 6), doutputs.tolist()
    (0.693147, [-0.5])
    """
    config: dict[str, object] = {"kind": "binary_cross_entropy"}
    if sum_outputs is not False:
        config["sum_outputs"] = sum_outputs
    if label_smoothing != 0:
        config["label_smoothing"] = number("label_smoothing", label_smoothing)
    if pos_weight is not None:
        config["pos_weight"] = _numbers("pos_weight", pos_weight)
    return core.elementwise_loss(outputs, y, config, sample_weight, out, n_threads)


def _numbers(argument: str, value: npt.ArrayLike) -> list[float]:
    try:
        return np.atleast_1d(value).astype(float).tolist()  # type: ignore[no-any-return]
    except (TypeError, ValueError):
        raise TypeError(
            f"{argument} must be a number or an array of numbers, got {value!r}"
        ) from None
