"""The least that a loss can be on given targets: what outputs of any kind leave."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.losses import BinaryCrossEntropy, CrossEntropy, Loss

__all__ = ["least_loss"]


def least_loss(loss: Loss, y: npt.NDArray[Any], outputs: int) -> float:
    """Return the entropy of soft or smoothed labels; 0 for other losses.

    Weights of rows are left out: the least of a weighted mean is near.
    """
    if isinstance(loss, CrossEntropy):
        p = np.eye(outputs)[y] if y.ndim == 1 else np.asarray(y, dtype=np.float64)
        p = (1 - loss.label_smoothing) * p + loss.label_smoothing / outputs
        return float(_entropy(p).sum(axis=1).mean())
    if isinstance(loss, BinaryCrossEntropy) and loss.pos_weight is None:
        p = np.asarray(y, dtype=np.float64)
        p = (1 - loss.label_smoothing) * p + loss.label_smoothing / 2
        each = (_entropy(p) + _entropy(1 - p)).reshape(len(y), -1)
        summed = getattr(loss, "sum_outputs", False)
        return float((each.sum(axis=1) if summed else each.mean(axis=1)).mean())
    return 0.0


def _entropy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return -p * np.log(np.where(p > 0, p, 1.0))
