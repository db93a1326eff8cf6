"""Stage "data": what the rows and targets show before anything is trained."""

from __future__ import annotations

import collections
import contextlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis.notes import Notes
from fastnn.diagnosis.trial import Rows
from fastnn.layers import Dense, Layer
from fastnn.layers.base import Activation
from fastnn.losses import Loss

__all__ = [
    "check_columns",
    "check_finite",
    "check_outputs",
    "check_rows",
    "is_unscaled",
]

Array = npt.NDArray[Any]

_MANY = 5  # columns or classes named in evidence

_RANGES = {  # of an activation's outputs
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, np.inf),
    "softplus": (0.0, np.inf),
}


def check_finite(name: str, values: Any, notes: Notes) -> bool:
    """Find NaN and infinity, which no network takes; return whether there are none."""
    if hasattr(values, "tocsr"):
        values = values.tocsr().data
    elif hasattr(values, "to_numpy"):
        with contextlib.suppress(TypeError, ValueError):
            values = values.to_numpy(dtype=np.float64, na_value=np.nan)
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return True  # text, ragged: others will tell
    if array.ndim == 0 or array.size == 0:
        return True
    bad = ~np.isfinite(array)
    if not bad.any():
        return True
    columns = np.flatnonzero(bad.reshape(len(array), -1).any(axis=0))
    notes.find(
        "not_finite",
        "severe",
        f"{name} holds NaN or infinity",
        cause="data",
        values=int(bad.sum()),
        rows=int(bad.reshape(len(array), -1).any(axis=1).sum()),
        columns=columns[:_MANY].tolist(),
        advice="impute or drop these values before training, for instance with "
        "sklearn.impute.SimpleImputer",
    )
    return False


def is_unscaled(X: Array) -> bool:
    """Whether columns differ much in spread, or stand far from 0."""
    mean, spread = X.mean(axis=0), X.std(axis=0)
    varying = spread > 0
    if not varying.any():
        return False
    # One that never changes is a bias whose gradient is so many times as long.
    if np.abs(mean[~varying]).max(initial=0.0) > at.SPREAD:
        return True
    used = spread[varying]
    largest, typical = float(used.max()), float(np.median(used))
    offset = float(np.median(np.abs(mean[varying]) / used))
    return (
        largest > at.SPREAD
        or largest < 1 / at.SPREAD
        or largest > at.SPREAD_RATIO * typical
        or offset > at.OFFSET
    )


def check_columns(X: Array, notes: Notes) -> None:
    """Find constant, repeated and unscaled columns."""
    X = X.astype(np.float64)
    spread = X.std(axis=0)
    notes.measurements["columns"] = {"mean": X.mean(axis=0), "spread": spread}
    constant = np.flatnonzero(spread == 0)
    if len(constant):
        notes.find(
            "constant_columns",
            "info",
            f"{len(constant)} of {X.shape[1]} columns of X never change",
            columns=constant[:_MANY].tolist(),
            number=len(constant),
            largest=float(np.abs(X[0, constant]).max()),
            advice="drop them: they tell nothing, add parameters, and where they are "
            "large their weights make training unstable",
        )
    varying = np.flatnonzero(spread > 0)
    seen: dict[bytes, int] = {}
    twins = [
        (seen[key], int(j))
        for j in varying
        if seen.setdefault(key := X[:, j].tobytes(), int(j)) != j
    ]
    if twins:
        notes.find(
            "duplicate_columns",
            "info",
            f"{len(twins)} columns of X repeat another one",
            pairs=twins[:_MANY],
            number=len(twins),
            advice="drop the copies: they tell nothing new, and their weights together "
            "take steps that are as many times too long",
        )
    if len(varying) and is_unscaled(X):
        used = spread[varying]
        notes.find(
            "unscaled_inputs",
            "warning",
            "the columns of X are not of mean 0 and spread about 1",
            cause="data",
            largest_spread=float(used.max()),
            smallest_spread=float(used.min()),
            largest_mean=float(np.abs(X.mean(axis=0)).max()),
            advice="standardise X: sklearn.preprocessing.StandardScaler, fitted on the "
            "training rows alone",
        )


def check_rows(train: Rows, validation: Rows | None, loss: Loss, notes: Notes) -> None:
    """Find unbalanced classes, rows shared with validation, rows that contradict."""
    labels = _labels(train.y, loss)
    if labels is not None:
        _check_balance(labels, notes)
    keys = [row.tobytes() for row in np.ascontiguousarray(train.X)]
    _check_contradictions(keys, train.y, notes)
    if validation is None:
        return
    known = set(keys)
    shared = sum(row.tobytes() in known for row in np.ascontiguousarray(validation.X))
    # Columns of few values share rows by chance, with other training rows as well.
    times = collections.Counter(keys)
    chance = sum(times[key] > 1 for key in keys) / len(keys)
    part = shared / len(validation)
    if part - chance > at.SHARED_ROWS:
        severe = part - chance > at.SHARED_ROWS_SEVERE
        notes.find(
            "shared_rows",
            "severe" if severe else "warning",
            f"{part:.0%} of the validation rows are training rows",
            cause="data",
            shared=shared,
            validation_rows=len(validation),
            share_by_chance=chance,
            advice="split again so that no row is in both: validation scores flatter "
            "the network now",
        )


def check_outputs(
    layers: tuple[Layer, ...], y: Array, loss: Loss, notes: Notes
) -> None:
    """Find output activations that do not go with the loss or the targets."""
    tail = output_activation(layers)
    if tail is None:
        return
    name = type(tail).__name__
    if loss.targets in ("classes", "labels"):
        notes.find(
            "output_activation",
            "severe",
            f"the outputs pass through {name} before a loss that makes probabilities "
            "itself",
            cause="data",
            **_least_cross_entropy(tail, y, loss),
            advice=f"end in a linear layer: leave {name} out; net.predict_proba gives "
            "probabilities",
        )
        return
    low, high = _RANGES.get(tail.kind, (-np.inf, np.inf))
    values = np.asarray(y, dtype=np.float64)
    outside = float(np.mean((values < low) | (values > high)))
    if loss.targets == "values" and outside > at.OUT_OF_REACH:
        notes.find(
            "targets_out_of_reach",
            "severe",
            f"{outside:.0%} of the targets lie outside of what {name} can give",
            cause="data",
            lowest_target=float(values.min()),
            highest_target=float(values.max()),
            lowest_output=low,
            highest_output=high,
            advice="end in a linear layer, or scale the targets into that range",
        )


def output_activation(layers: tuple[Layer, ...]) -> Activation | None:
    """Return the activation that the outputs pass through last, if any."""
    last = layers[-1]
    if isinstance(last, Dense):
        last = last.activation  # type: ignore[assignment]
    if isinstance(last, Activation) and last.kind != "identity":
        return last
    return None


def _least_cross_entropy(tail: Activation, y: Array, loss: Loss) -> dict[str, float]:
    """Return the least loss that such outputs allow, where it is not 0."""
    low, high = _RANGES.get(tail.kind, (-np.inf, np.inf))
    if loss.kind != "cross_entropy" or y.ndim != 1 or not np.isfinite(high - low):
        return {}
    classes = len(np.unique(y))
    return {"least_loss": float(np.log1p((classes - 1) * np.exp(low - high)))}


def _labels(y: Array, loss: Loss) -> Array | None:
    if loss.targets == "classes" and y.ndim == 1:
        return y
    if loss.targets == "labels" and y.shape[1] == 1:
        return y[:, 0]
    return None


def _check_balance(labels: Array, notes: Notes) -> None:
    classes, counts = np.unique(labels, return_counts=True)
    notes.measurements["classes"] = {"names": classes.tolist(), "rows": counts.tolist()}
    ratio = counts.max() / counts.min()
    if len(classes) == 1:
        notes.find(
            "one_class",
            "severe",
            "all rows have the same label",
            cause="data",
            rows=len(labels),
            advice="there is nothing to tell apart: check how y was made",
        )
    elif ratio > at.IMBALANCE:
        notes.find(
            "class_imbalance",
            "warning",
            f"the most frequent class has {ratio:.0f} times the rows of the rarest",
            rarest=classes[counts.argmin()].item(),
            rows_of_rarest=int(counts.min()),
            ratio=float(ratio),
            advice='weigh the classes, class_weight="balanced", and judge by "auc" '
            "rather than accuracy",
        )


def _check_contradictions(keys: list[bytes], y: Array, notes: Notes) -> None:
    first: dict[bytes, int] = {}
    against = 0
    for i, key in enumerate(keys):
        against += not np.array_equal(y[i], y[first.setdefault(key, i)])
    if against > at.CONTRADICTIONS * len(keys):
        notes.find(
            "contradictory_rows",
            "warning",
            f"{against / len(keys):.0%} of the rows equal another one but have other "
            "targets",
            rows=against,
            advice="no network can fit these: look for columns that were left out",
        )
