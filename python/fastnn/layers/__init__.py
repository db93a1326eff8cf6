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
from fastnn.layers.dropout import AlphaDropout, Dropout, GaussianNoise
from fastnn.layers.maxout import Maxout
from fastnn.layers.normalization import BatchNorm, LayerNorm, RMSNorm
from fastnn.layers.prelu import PReLU
from fastnn.layers.residual import Residual

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "ELU",
    "GELU",
    "LAYERS",
    "SELU",
    "Activation",
    "AlphaDropout",
    "BatchNorm",
    "Dense",
    "Dropout",
    "GaussianNoise",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Maxout",
    "Mish",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
]

LAYERS: dict[str, type[Layer]] = {
    **{cls.kind: cls for cls in (Dense, Maxout, BatchNorm, LayerNorm, RMSNorm, PReLU)},
    **{cls.kind: cls for cls in (Dropout, AlphaDropout, GaussianNoise, Residual)},
    **ACTIVATIONS,
}
"""Every layer by its name."""
