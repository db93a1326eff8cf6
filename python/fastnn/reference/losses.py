"""Losses on raw outputs and logits: the mean over rows, and its gradient.

Every loss is a weighted mean over rows, L = sum_i w_i l_i / sum_i w_i with w_i = 1
unless `sample_weight` says otherwise, and returns (L, dL/d outputs). Where a row has
several outputs, l_i is the mean over them, unless a loss says otherwise; the
cross-entropy of softmax is one number a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastnn.reference._activation_table import sigmoid, softplus
from fastnn.reference._checks import (
    check_floating,
    check_matrix,
    check_range,
    check_shape,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def softmax_cross_entropy(
    logits: Array,
    y: npt.ArrayLike,
    *,
    label_smoothing: float = 0.0,
    sample_weight: npt.ArrayLike | None = None,
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

    Returns
    -------
    loss : float
    dlogits : (rows, classes)

    Raises
    ------
    ValueError
        Shapes that do not fit, a label outside [0, classes), weights as above.
    TypeError
        Labels that are not integers.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import softmax_cross_entropy
    >>> loss, dlogits = softmax_cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 6), dlogits.tolist()
    (0.693147, [[-0.5, 0.5]])
    """
    check_floating(logits=logits)
    check_matrix("logits", logits)
    rows, classes = logits.shape
    check_range("classes in logits", classes, classes > 0, "at least 1")
    _check_smoothing(label_smoothing)
    weight = _row_weights(logits, sample_weight)
    target = np.asarray(y)
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    log_total = np.log(total[:, 0])
    if target.ndim == 1:
        labels = _labels(target, rows, classes)
        index = np.arange(rows)
        loss = log_total - (1.0 - label_smoothing) * shifted[index, labels]
        p[index, labels] -= 1.0 - label_smoothing
        if label_smoothing:
            loss -= label_smoothing * shifted.mean(axis=1)
            p -= label_smoothing / classes
        gradient = p
    else:
        q = target.astype(logits.dtype)
        check_shape("y", q, logits.shape, "labels (rows,) or the shape of logits")
        if label_smoothing:
            q = (1.0 - label_smoothing) * q + label_smoothing / classes
        mass = q.sum(axis=1)
        loss = mass * log_total - (q * shifted).sum(axis=1)
        gradient = p * mass[:, None] - q
    gradient *= weight[:, None]
    return _total(loss, weight), gradient


def mse(
    outputs: Array, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
) -> tuple[float, Array]:
    """Mean squared error: l = d^2, dl/do = 2 d, with d = outputs - y.

    scikit-learn's solvers minimise half of it.

    Parameters
    ----------
    outputs : (rows,) or (rows, k) float32 or float64, at least one element
    y : numbers, the shape of `outputs`
    sample_weight : (rows,), optional

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
    d = outputs - _targets(outputs, y)
    return _mean(d * d, 2.0 * d, sample_weight)


def squared_error(
    outputs: Array, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
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
    d = outputs - _targets(outputs, y)
    return _mean(0.5 * d * d, d, sample_weight, sum_outputs=True)


def mae(
    outputs: Array, y: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
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
    d = outputs - _targets(outputs, y)
    return _mean(np.abs(d), np.sign(d), sample_weight)


def huber(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    delta: float = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> tuple[float, Array]:
    """Huber's loss: a parabola that goes on as a line from |d| = delta.

    With d = outputs - y and c = min(max(d, -delta), delta)::

        l = c (d - c / 2)        dl/do = c

    which is d^2 / 2 inside and delta (|d| - delta / 2) outside: Huber, "Robust
    estimation of a location parameter" (1964), and ``torch.nn.functional.huber_loss``.

    Parameters
    ----------
    outputs, y, sample_weight
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
    check_range("delta", delta, 0.0 < delta < np.inf, "positive and finite")
    d = outputs - _targets(outputs, y)
    c = np.clip(d, -delta, delta)
    return _mean(c * (d - 0.5 * c), c, sample_weight)


def poisson_nll(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sum_outputs: bool = False,
    sample_weight: npt.ArrayLike | None = None,
) -> tuple[float, Array]:
    """Poisson's negative log-likelihood of counts y, whose log rates are the outputs.

    With z = outputs::

        l = exp(z) - y z        dl/dz = exp(z) - y

    which leaves out log(y!), a constant: ``torch.nn.functional.poisson_nll_loss``.

    Parameters
    ----------
    outputs, sample_weight
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
    t = _targets(outputs, y)
    low = float(t.min())
    check_range("y", low, low >= 0.0, "at least 0")
    with np.errstate(over="ignore"):
        rate = np.exp(outputs)
    return _mean(rate - t * outputs, rate - t, sample_weight, sum_outputs=sum_outputs)


def binary_cross_entropy(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    pos_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    sum_outputs: bool = False,
    sample_weight: npt.ArrayLike | None = None,
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
    sample_weight : (rows,), optional

    Returns
    -------
    loss : float
        The mean over rows and outputs.
    doutputs : the shape of `outputs`

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import binary_cross_entropy
    >>> loss, doutputs = binary_cross_entropy(np.zeros(1), np.ones(1))
    >>> round(loss, 6), doutputs.tolist()
    (0.693147, [-0.5])
    """
    t = _targets(outputs, y)
    low, high = float(t.min()), float(t.max())
    check_range(
        "y", low if low < 0.0 else high, low >= 0.0 and high <= 1.0, "in [0, 1]"
    )
    _check_smoothing(label_smoothing)
    t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = np.asarray(1.0 if pos_weight is None else pos_weight, dtype=outputs.dtype)
    if p.ndim:
        check_shape("pos_weight", p, outputs.shape[1:], "one number an output")
    check_range("pos_weight", float(p.min()), bool((p > 0.0).all()), "positive")
    scale = 1.0 + (p - 1.0) * t
    loss = (1.0 - t) * outputs + scale * softplus(-outputs)
    slope = scale * sigmoid(outputs) - p * t
    return _mean(loss, slope, sample_weight, sum_outputs=sum_outputs)


def _mean(
    loss: Array,
    slope: Array,
    sample_weight: npt.ArrayLike | None,
    *,
    sum_outputs: bool = False,
) -> tuple[float, Array]:
    """Average element losses over a row's outputs, or add them, then average rows."""
    weight = _row_weights(loss, sample_weight)
    if not sum_outputs:
        weight /= loss.size // len(loss)
    weight = weight.reshape(-1, *[1] * (loss.ndim - 1))
    return _total(loss, weight), slope * weight


def _total(loss: Array, weight: Array) -> float:
    return float(np.sum(loss * weight, dtype=np.float64))


def _row_weights(outputs: Array, sample_weight: npt.ArrayLike | None) -> Array:
    """Return w / sum(w), (rows,), in the dtype of `outputs`."""
    rows = len(outputs)
    check_range("rows", rows, rows > 0, "at least 1 (a loss is a mean over rows)")
    if sample_weight is None:
        return np.full(rows, 1.0 / rows, dtype=outputs.dtype)
    weight = np.asarray(sample_weight, dtype=np.float64)
    check_shape("sample_weight", weight, (rows,), "one weight a row")
    low = float(weight.min())
    check_range("sample_weight", low, low >= 0.0, "not negative and not NaN")
    total = float(weight.sum())
    check_range("sum of sample_weight", total, 0.0 < total < np.inf, "positive, finite")
    return (weight / total).astype(outputs.dtype)


def _labels(
    y: npt.NDArray[np.generic], rows: int, classes: int
) -> npt.NDArray[np.intp]:
    if y.dtype.kind not in "iu":
        msg = f"y must hold integer labels, got {y.dtype}: use y.astype(np.int64)"
        raise TypeError(msg)
    if y.shape != (rows,):
        msg = f"y has {len(y)} labels, expected {rows}: one a row of logits"
        raise ValueError(msg)
    labels = y.astype(np.intp)
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        msg = f"y[{wrong[0]}] is {labels[wrong[0]]}, expected a label in [0, {classes})"
        raise ValueError(msg)
    return labels


def _targets(outputs: Array, y: npt.ArrayLike) -> Array:
    check_floating(outputs=outputs)
    check_range("size of outputs", outputs.size, outputs.size > 0, "at least 1")
    target: Array = np.asarray(y).astype(outputs.dtype)
    check_shape("y", target, outputs.shape, "the shape of outputs")
    return target


def _check_smoothing(label_smoothing: float) -> None:
    ok = 0.0 <= label_smoothing <= 1.0
    check_range("label_smoothing", label_smoothing, ok, "in [0, 1]")
