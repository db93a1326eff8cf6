"""The losses, all on raw outputs: a network for them ends in a linear layer.

Each is a mean over the rows with the sample weights w: ``sum(w * l) / sum(w)``.
"""

from __future__ import annotations

from fastnn._config import from_name
from fastnn.losses.base import Loss
from fastnn.losses.classification import (
    BinaryCrossEntropy,
    CrossEntropy,
    Focal,
    Hinge,
)
from fastnn.losses.custom import CustomLoss, LossFunction, check_gradient
from fastnn.losses.regression import (
    MAE,
    MSE,
    GaussianNLL,
    Huber,
    LogCosh,
    PoissonNLL,
    Quantile,
    SquaredError,
)

__all__ = [
    "LOSSES",
    "MAE",
    "MSE",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "CustomLoss",
    "Focal",
    "GaussianNLL",
    "Hinge",
    "Huber",
    "LogCosh",
    "Loss",
    "LossFunction",
    "PoissonNLL",
    "Quantile",
    "SquaredError",
    "check_gradient",
    "resolve_loss",
]

LOSSES: dict[str, type[Loss]] = {
    cls.kind: cls
    for cls in (
        MSE,
        SquaredError,
        MAE,
        Huber,
        LogCosh,
        Quantile,
        PoissonNLL,
        GaussianNLL,
        CrossEntropy,
        Focal,
        BinaryCrossEntropy,
        Hinge,
    )
}
"""Every loss by its name, as ``fit(loss=name)`` takes it."""


def resolve_loss(value: object) -> Loss:
    """Return the loss from itself, its name or a function (see `CustomLoss`)."""
    if isinstance(value, (Loss, str)):
        return from_name("loss", value, Loss, LOSSES)
    if isinstance(value, type):
        raise TypeError(f"loss is the class {value.__name__}; write {value.__name__}()")
    if callable(value):
        return CustomLoss(value)
    raise TypeError(
        "loss must be a name, a Loss or a function (outputs, y) -> (losses, gradient), "
        f"got {type(value).__name__} {value!r}"
    )
