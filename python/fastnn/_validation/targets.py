"""y, as the loss reads it: classes, yes/no labels or values."""

from __future__ import annotations

import numpy as np

from fastnn._validation.arrays import (
    Array,
    as_numbers,
    as_records,
    finite_in_dtype,
    where_first,
)
from fastnn._validation.frames import column_names
from fastnn.losses import Loss

__all__ = ["as_targets"]

_SUM_TOLERANCE = 1e-3  # rows of float16 probabilities still pass


def as_targets(
    argument: str,
    value: object,
    loss: Loss,
    dtype: str,
    n_rows: int,
    n_outputs: int,
) -> Array:
    """Return y as the engine takes it for this loss.

    Returns
    -------
    ndarray
        int32 labels (n,) for a class loss, y as it came for one that takes anything,
        else (n, n_outputs) in `dtype`.

    Raises
    ------
    TypeError, ValueError
        If y does not fit the rows, the outputs or the loss.
    """
    anything = loss.targets == "any"
    array = as_records(argument, value) if anything else as_numbers(argument, value)
    names = column_names(value)
    if array.ndim == 0 or array.shape[0] != n_rows:
        rows = "no rows" if array.ndim == 0 else f"{array.shape[0]} rows"
        raise ValueError(
            f"{argument} has {rows} (shape {array.shape}), but there are {n_rows} "
            "rows of features: give one target for each"
        )
    if anything:
        return array
    if loss.targets == "classes":
        if array.ndim == 1 or array.shape[1:] == (1,):
            return _labels(argument, array.reshape(-1), loss, n_outputs)
        array = _columns(argument, array, loss, n_outputs)
        result = finite_in_dtype(argument, array, dtype, names=names)
        return _probabilities(argument, result)
    array = _columns(argument, array, loss, n_outputs)
    result = finite_in_dtype(argument, array, dtype, names=names)
    if loss.targets == "labels":
        if loss.takes_signs and np.isin(result, (-1, 1)).all():
            return (result + 1) / 2
        _check_yes_no(argument, result, loss)
    _check_least(argument, result, loss)
    return result


def _columns(argument: str, array: Array, loss: Loss, n_outputs: int) -> Array:
    """Return the array as (n, values); a single value a row may come as (n,)."""
    width = loss.target_width(n_outputs)
    if array.ndim == 1 and width == 1:
        return array.reshape(-1, 1)
    if array.ndim == 2 and array.shape[1] == width:
        return array
    n = array.shape[0]
    wanted = f"({n},) or ({n}, 1)" if width == 1 else f"({n}, {width})"
    if loss.targets == "classes":
        wanted = f"({n},) for integer labels or ({n}, {n_outputs}) for probabilities"
    raise ValueError(
        f"{argument} has shape {array.shape}, but loss {loss.kind!r} and a network of "
        f"{n_outputs} outputs need {wanted}: reshape {argument} or change the last "
        "Dense layer"
    )


def _labels(argument: str, array: Array, loss: Loss, n_outputs: int) -> Array:
    """Return integer labels 0 .. n_outputs-1 as int32."""
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array)
        if bad.any():
            raise ValueError(
                f"{argument} holds NaN or infinity ({where_first(bad)}): every row "
                "needs a label"
            )
        bad = array != np.floor(array)
        if bad.any():
            raise ValueError(
                f"{argument} must hold integer labels for {loss.kind}, got "
                f"{array[bad][0]} ({where_first(bad)}): for numbers use loss='mse', "
                f"for probabilities give ({len(array)}, {n_outputs})"
            )
    low, high = array.min(), array.max()
    if low < 0 or high >= n_outputs:
        bad = (array < 0) | (array >= n_outputs)
        advice = f"use labels 0 to {n_outputs - 1}"
        if low == 1 and high == n_outputs:
            advice = f"these labels count from 1: pass {argument} - 1"
        elif low == -1 and n_outputs == 2:
            advice = f"for labels -1 and 1 pass {argument} > 0"
        elif len(classes := np.unique(array)) <= n_outputs:
            advice = (
                f"number your {len(classes)} classes from 0 by "
                f"np.unique({argument}, return_inverse=True)[1]"
            )
        elif low >= 0:
            advice = f"give the last layer {int(high) + 1} units, or {advice}"
        label = array[bad][0]
        shown = int(label) if -1e18 < label < 1e18 else label  # 300 digits help nobody
        raise ValueError(
            f"{argument} holds label {shown} ({where_first(bad)}), but "
            f"the network has {n_outputs} outputs: {advice}"
        )
    return np.require(array, np.int32, ["C", "A"])


def _probabilities(argument: str, array: Array) -> Array:
    """Return rows of probabilities after a look at sign and sum."""
    bad = array < 0
    if bad.any():
        raise ValueError(
            f"{argument} must hold probabilities >= 0, got {array[bad][0]} "
            f"({where_first(bad)})"
        )
    sums = array.sum(axis=1)
    bad = np.abs(sums - 1) > _SUM_TOLERANCE
    if bad.any():
        raise ValueError(
            f"{argument}: each row of probabilities must sum to 1, got {sums[bad][0]} "
            f"({where_first(bad)}): divide each row by its sum"
        )
    return array


def _check_least(argument: str, array: Array, loss: Loss) -> None:
    bad = array < loss.least_target
    if bad.any():
        raise ValueError(
            f"{argument} must be >= {loss.least_target:g} for {loss.kind}, got "
            f"{array[bad][0]} ({where_first(bad)}): for other numbers use loss='mse'"
        )


def _check_yes_no(argument: str, array: Array, loss: Loss) -> None:
    bad = (array < 0) | (array > 1)
    if not bad.any():
        return
    advice = "for numbers use loss='mse'"
    if np.isin(array, (-1, 1)).all():
        advice = f"for labels -1 and 1 pass {argument} > 0"
    elif (array == np.floor(array)).all():
        advice = "for more than two classes use loss='cross_entropy'"
    raise ValueError(
        f"{argument} must be in [0, 1] for {loss.kind}, got {array[bad][0]} "
        f"({where_first(bad)}): {advice}"
    )
