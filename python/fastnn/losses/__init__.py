"""The losses, all on raw outputs: a network for them ends in a linear layer.

Each is a mean over the rows with the sample weights w: ``sum(w * l) / sum(w)``.
"""

from __future__ import annotations

from fastnn._config import from_name
from fastnn.losses.base import Loss
from fastnn.losses.classification import BinaryCrossEntropy, CrossEntropy
from fastnn.losses.regression import MAE, MSE, Huber, PoissonNLL, SquaredError

__all__ = [
    "LOSSES",
    "MAE",
    "MSE",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "PoissonNLL",
    "SquaredError",
    "resolve_loss",
]

LOSSES: dict[str, type[Loss]] = {
    cls.kind: cls
    for cls in (
        MSE,
        SquaredError,
        MAE,
        Huber,
        PoissonNLL,
        CrossEntropy,
        BinaryCrossEntropy,
    )
}
"""Every loss by its name, as ``fit(loss=name)`` takes it."""


def resolve_loss(value: object) -> Loss:
    """Return the loss from itself or from its name."""
    return from_name("loss", value, Loss, LOSSES)
