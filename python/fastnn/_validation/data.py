"""Features, targets and weights that belong together."""

from __future__ import annotations

import dataclasses

from fastnn._validation.arrays import Array
from fastnn._validation.features import Rows, as_features, some_rows
from fastnn._validation.pictures import picture_shape, same_pictures
from fastnn._validation.targets import as_targets
from fastnn._validation.weights import as_sample_weight
from fastnn.losses import Loss

__all__ = ["Data", "as_data", "as_validation_data"]


@dataclasses.dataclass(frozen=True)
class Data:
    """Rows as the engine takes them."""

    X: Rows  # (n, in_features)
    y: Array  # (n,) int32 labels or (n, n_outputs)
    weight: Array | None  # (n,)
    picture: tuple[int, ...] | None = None  # (height, width[, channels]) if X said it

    def __len__(self) -> int:
        return len(self.X)

    def rows(self, index: Array) -> Data:
        """Return a copy of some rows."""
        weight = None if self.weight is None else self.weight[index]
        return Data(some_rows(self.X, index), self.y[index], weight, self.picture)


def as_data(
    names: tuple[str, str, str],
    values: tuple[object, object, object],
    loss: Loss,
    dtype: str,
    in_features: int | None,
    n_outputs: int | None,
) -> Data:
    """Return checked rows; `names` are the arguments that errors speak of.

    `n_outputs` None stands for a network as wide at its end as X.
    """
    X = as_features(names[0], values[0], dtype, in_features)
    outputs = X.shape[1] if n_outputs is None else n_outputs
    loss.check_outputs(outputs)
    y = as_targets(names[1], values[1], loss, dtype, len(X), outputs)
    weight = as_sample_weight(names[2], values[2], dtype, len(X))
    return Data(X, y, weight, picture_shape(values[0]))


def as_validation_data(
    value: object, like: Data, loss: Loss, dtype: str, n_outputs: int
) -> Data | None:
    """Return ``validation_data=(X, y)`` or ``(X, y, sample_weight)``, checked."""
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) not in (2, 3):
        got = type(value).__name__
        if isinstance(value, (tuple, list)):
            got += f" of {len(value)}"
        raise TypeError(
            "validation_data must be a tuple (X, y) or (X, y, sample_weight), "
            f"got {got}"
        )
    X, y, weight = (*value, None)[:3]
    _check_pictures(picture_shape(X), like.picture)
    return as_data(
        ("validation_data[0]", "validation_data[1]", "validation_data[2]"),
        (X, y, weight),
        loss,
        dtype,
        like.X.shape[1],
        n_outputs,
    )


def _check_pictures(
    shape: tuple[int, ...] | None, expected: tuple[int, ...] | None
) -> None:
    """Raise ValueError if both are pictures, but not of one shape."""
    if shape is None or expected is None or same_pictures(shape, expected):
        return
    raise ValueError(
        f"validation_data[0] has pictures of shape {shape}, but X has pictures of "
        f"shape {expected}: give both one height, width and channels, as the network "
        "knows a pixel by its place in the row"
    )
