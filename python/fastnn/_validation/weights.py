"""Sample weights and class weights: one number >= 0 for each row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fastnn._config import nearest, number
from fastnn._validation.arrays import (
    Array,
    as_numbers,
    finite_in_dtype,
    where_first,
)
from fastnn.losses import Loss

__all__ = ["as_class_weight", "as_sample_weight", "combine"]


def as_sample_weight(
    argument: str, value: object, dtype: str, n_rows: int
) -> Array | None:
    """Return the weights as an (n,) array, or None for none.

    Raises
    ------
    TypeError, ValueError
        If there is not one finite weight >= 0 per row, or if all are 0.
    """
    if value is None:
        return None
    array = as_numbers(argument, value)
    if array.shape != (n_rows,):
        raise ValueError(
            f"{argument} must have shape ({n_rows},), one weight per row, got "
            f"{array.shape}"
        )
    weights = finite_in_dtype(argument, array, dtype)
    bad = weights < 0
    if bad.any():
        raise ValueError(
            f"{argument} must be >= 0, got {weights[bad][0]} ({where_first(bad)})"
        )
    if not _any_counts(weights):
        raise ValueError(
            f"{argument} is zero for every row: nothing would be learnt; give at "
            f"least one row a weight > 0{_or_scale_up(weights)}"
        )
    return weights


def _any_counts(weights: Array) -> bool:
    """Whether any weight is more than 0 and more than a denormal number, a 0 to C++."""
    return bool((weights >= np.finfo(weights.dtype).tiny).any())


def _or_scale_up(weights: Array) -> str:
    if not weights.any():
        return ""
    return (
        f" (weights below {np.finfo(weights.dtype).tiny:.2g} count as zero in "
        f"{weights.dtype}: scale them up)"
    )


def as_class_weight(
    value: object,
    targets: Array,
    loss: Loss,
    dtype: str,
    n_outputs: int,
) -> Array | None:
    """Return the class weight of each row, or None for none.

    `targets` is y as `as_targets` returns it. "balanced" gives class c the weight
    n / (classes present * count of c), scikit-learn's rule.

    Raises
    ------
    TypeError, ValueError
        If the loss has no classes, or the weights do not fit them.
    """
    if value is None:
        return None
    labels, n_classes = _class_labels(targets, loss, n_outputs)
    counts = np.bincount(labels, minlength=n_classes)
    if isinstance(value, str):
        if value != "balanced":
            hint = nearest(value, ["balanced"]) or "."
            raise ValueError(
                f"class_weight: unknown name {value!r}{hint} "
                "It must be 'balanced', a dict {label: weight} or an array of "
                f"{n_classes} weights."
            )
        table = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    elif isinstance(value, Mapping):
        table = _from_dict(value, counts)
    else:
        table = as_numbers("class_weight", value)
        if table.shape != (n_classes,):
            raise ValueError(
                f"class_weight must have one weight for each of the {n_classes} "
                f"classes, shape ({n_classes},), got {table.shape}"
            )
    table = finite_in_dtype("class_weight", table, dtype, advice="give finite weights")
    if (table < 0).any():
        label = int(np.argmax(table < 0))
        raise ValueError(
            f"class_weight must be >= 0, got {table[label]} for class {label}"
        )
    weights = table[labels]
    if not _any_counts(weights):
        raise ValueError(
            "class_weight is zero for every class that y holds: nothing would be "
            "learnt; give at least one of them a weight > 0"
        )
    return np.asarray(weights)


def _class_labels(targets: Array, loss: Loss, n_outputs: int) -> tuple[Array, int]:
    """Return the class of each row and how many classes there are."""
    if loss.targets == "classes" and targets.ndim == 1:
        return targets, n_outputs
    if loss.targets == "labels" and n_outputs == 1:
        labels = targets.reshape(-1)
        if np.isin(labels, (0, 1)).all():
            return labels.astype(np.int32), 2
    if loss.targets == "any":
        raise ValueError(
            "class_weight needs to know the classes: say so by loss="
            "fastnn.losses.CustomLoss(function, targets='classes')"
        )
    raise ValueError(
        "class_weight needs one class label per row: integer labels with "
        "'cross_entropy', or 0 and 1 for one output with 'binary_cross_entropy'; here "
        f"the loss is {loss.kind!r} with targets of shape {targets.shape}: use "
        "sample_weight or pos_weight"
    )


def _from_dict(value: Mapping[object, object], counts: Array) -> Array:
    """Return the weights by class; classes that y lacks may be left out."""
    table = np.ones(len(counts))
    for label, weight in value.items():
        if label not in range(len(counts)):
            raise ValueError(
                f"class_weight names class {label!r}, but the classes are 0 to "
                f"{len(counts) - 1}"
            )
        table[int(label)] = number(f"class_weight[{label!r}]", weight)  # type: ignore[call-overload]
    missing = [c for c in np.flatnonzero(counts) if int(c) not in value]
    if missing:
        raise ValueError(
            f"class_weight lacks class {missing[0]}, which y holds: give every class "
            "a weight (1.0 leaves it as it is)"
        )
    return table


def combine(first: Array | None, second: Array | None) -> Array | None:
    """Return the product of two weights, either of which may be none."""
    if first is None or second is None:
        return second if first is None else first
    with np.errstate(over="ignore", under="ignore"):
        product = first * second
    if not np.isfinite(product).all():
        raise ValueError(
            "sample_weight times class_weight is beyond the range of "
            f"{product.dtype}: scale either down"
        )
    if not _any_counts(product):
        raise ValueError(
            "sample_weight times class_weight is zero for every row: nothing would "
            "be learnt"
        )
    return np.asarray(product)
