"""What the losses share: targets, row weights, means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastnn.reference._checks import (
    check_floating,
    check_range,
    check_shape,
    stored,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


def element_mean(
    loss: Array,
    slope: Array,
    sample_weight: npt.ArrayLike | None,
    *,
    sum_outputs: bool = False,
    out: Array | None = None,
) -> tuple[float, Array]:
    """Average element losses over a row's outputs, or add them, then average rows."""
    weight = row_weights(loss, sample_weight)
    if not sum_outputs:
        weight /= loss.size // len(loss)
    weight = weight.reshape(-1, *[1] * (loss.ndim - 1))
    return weighted_total(loss, weight), stored(slope * weight, out)


def weighted_total(loss: Array, weight: Array) -> float:
    return float(np.sum(loss * weight, dtype=np.float64))


def row_weights(outputs: Array, sample_weight: npt.ArrayLike | None) -> Array:
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


def element_targets(outputs: Array, y: npt.ArrayLike) -> Array:
    check_floating(outputs=outputs)
    check_range("size of outputs", outputs.size, outputs.size > 0, "at least 1")
    target: Array = np.asarray(y).astype(outputs.dtype)
    check_shape("y", target, outputs.shape, "the shape of outputs")
    return target
