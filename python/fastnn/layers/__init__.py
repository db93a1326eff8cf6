"""The layers with parameters or randomness, and every activation beside them.

A layer is an inert, frozen description; a `Sequential` that contains it owns the
numbers, so one description may stand in many networks.
"""

from __future__ import annotations

from fastnn.layers.activations import (
    ACTIVATIONS,
    CELU,
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from fastnn.layers.base import Activation, Layer
from fastnn.layers.dense import Dense
from fastnn.layers.dropout import Dropout
from fastnn.layers.normalization import BatchNorm, LayerNorm
from fastnn.layers.residual import Residual

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "ELU",
    "GELU",
    "LAYERS",
    "SELU",
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
]

LAYERS: dict[str, type[Layer]] = {
    **{cls.kind: cls for cls in (Dense, BatchNorm, LayerNorm, Dropout, Residual)},
    **ACTIVATIONS,
}
"""Every layer by its name."""
