"""Losses for classes and yes/no labels: see `fastnn.reference.losses`."""

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
    check_threads,
    stored,
)
from fastnn.reference.losses._rows import (
    element_mean,
    element_targets,
    row_weights,
    weighted_total,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


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
        Receives the gradient.
    n_threads : int, optional
        As the kernel has it; no matter here.

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
    check_threads(n_threads)
    check_floating(logits=logits)
    check_matrix("logits", logits)
    rows, classes = logits.shape
    check_range("classes in logits", classes, classes > 0, "at least 1")
    _check_smoothing(label_smoothing)
    weight = row_weights(logits, sample_weight)
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
    return weighted_total(loss, weight), stored(gradient, out)


def focal_loss(
    logits: Array,
    y: npt.ArrayLike,
    *,
    gamma: float = 2.0,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Cross-entropy of softmax(logits) that cares less for rows that are right already.

    With p = softmax(z) and q the target::

        l = -sum_j q_j (1 - p_j)^gamma log p_j
        dl/dz_k = q_k g_k - p_k sum_j q_j g_j
        g = (1 - p)^gamma (gamma p log p / (1 - p) - 1)

    Lin et al., "Focal loss for dense object detection" (2017), who have it for one
    sigmoid; gamma = 0 is `softmax_cross_entropy`.

    Parameters
    ----------
    logits, y, sample_weight, out, n_threads
        As of `softmax_cross_entropy`.
    gamma : float >= 0, default 2

    Returns
    -------
    loss, dlogits
        As of `softmax_cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import focal_loss
    >>> loss, dlogits = focal_loss(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 6), dlogits.round(6).tolist()
    (0.173287, [[-0.298287, 0.298287]])
    """
    check_threads(n_threads)
    check_floating(logits=logits)
    check_matrix("logits", logits)
    rows, classes = logits.shape
    check_range("classes in logits", classes, classes > 0, "at least 1")
    check_range("gamma", gamma, 0.0 <= gamma < np.inf, "not negative, finite")
    weight = row_weights(logits, sample_weight)
    target = np.asarray(y)
    if target.ndim == 1:
        q = np.eye(classes, dtype=logits.dtype)[_labels(target, rows, classes)]
    else:
        q = target.astype(logits.dtype)
        check_shape("y", q, logits.shape, "labels (rows,) or the shape of logits")
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    rest = np.maximum(-np.expm1(log_p), np.finfo(logits.dtype).tiny)  # 1 - p
    focus = rest**gamma
    loss = np.where(q == 0.0, 0.0, -q * focus * log_p).sum(axis=1)
    slope = np.where(q == 0.0, 0.0, q * focus * (gamma * p * log_p / rest - 1.0))
    gradient = slope - p * slope.sum(axis=1, keepdims=True)
    return weighted_total(loss, weight), stored(gradient * weight[:, None], out)


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
    sample_weight : (rows,), optional
    out, n_threads
        As of `mse`.

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
    check_threads(n_threads)
    t = _fractions(outputs, y)
    _check_smoothing(label_smoothing)
    t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = np.asarray(1.0 if pos_weight is None else pos_weight, dtype=outputs.dtype)
    if p.ndim:
        check_shape("pos_weight", p, outputs.shape[1:], "one number an output")
    check_range("pos_weight", float(p.min()), bool((p > 0.0).all()), "positive")
    scale = 1.0 + (p - 1.0) * t
    loss = (1.0 - t) * outputs + scale * softplus(-outputs)
    slope = scale * sigmoid(outputs) - p * t
    return element_mean(loss, slope, sample_weight, sum_outputs=sum_outputs, out=out)


def hinge(
    outputs: Array,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    out: Array | None = None,
    n_threads: int | None = None,
) -> tuple[float, Array]:
    """Hinge loss of yes/no labels: nothing from a margin of 1 on, else linear.

    With t = 2 y - 1::

        l = max(0, 1 - t o)        dl/do = -t if t o < 1, else 0

    Cortes and Vapnik, "Support-vector networks" (1995).

    Parameters
    ----------
    outputs, sample_weight, out, n_threads
        As of `mse`.
    y : numbers in [0, 1], the shape of `outputs`

    Returns
    -------
    loss, doutputs
        As of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.reference import hinge
    >>> loss, doutputs = hinge(np.array([0.5, 0.5]), np.array([1, 0]))
    >>> loss, doutputs.tolist()
    (1.0, [-0.5, 0.5])
    """
    check_threads(n_threads)
    t = 2.0 * _fractions(outputs, y) - 1.0
    short_of = 1.0 - t * outputs
    slope = np.where(short_of <= 0.0, 0.0, -t).astype(outputs.dtype)
    return element_mean(np.maximum(short_of, 0.0), slope, sample_weight, out=out)


def _fractions(outputs: Array, y: npt.ArrayLike) -> Array:
    t = element_targets(outputs, y)
    low, high = float(t.min()), float(t.max())
    check_range(
        "y", low if low < 0.0 else high, low >= 0.0 and high <= 1.0, "in [0, 1]"
    )
    return t


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


def _check_smoothing(label_smoothing: float) -> None:
    ok = 0.0 <= label_smoothing <= 1.0
    check_range("label_smoothing", label_smoothing, ok, "in [0, 1]")
