"""Losses for classes and yes/no labels: see `fastnn.kernels.losses`."""

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
    config = {
        "kind": "cross_entropy",
        "label_smoothing": number("label_smoothing", label_smoothing),
    }
    return core.class_loss(logits, y, config, sample_weight, out, n_threads)


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
    >>> from fastnn.kernels import focal_loss
    >>> loss, dlogits = focal_loss(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 6), dlogits.round(6).tolist()
    (0.173287, [[-0.298287, 0.298287]])
    """
    config = {"kind": "focal", "gamma": number("gamma", gamma)}
    return core.class_loss(logits, y, config, sample_weight, out, n_threads)


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

    Raises
    ------
    ValueError
        As `mse`; y outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.kernels import hinge
    >>> loss, doutputs = hinge(np.array([0.5, 0.5]), np.array([1, 0]))
    >>> loss, doutputs.tolist()
    (1.0, [-0.5, 0.5])
    """
    return core.elementwise_loss(
        outputs, y, {"kind": "hinge"}, sample_weight, out, n_threads
    )


def _numbers(argument: str, value: npt.ArrayLike) -> list[float]:
    try:
        return np.atleast_1d(value).astype(float).tolist()  # type: ignore[no-any-return]
    except (TypeError, ValueError):
        raise TypeError(
            f"{argument} must be a number or an array of numbers, got {value!r}"
        ) from None
