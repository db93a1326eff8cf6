"""fastnn: multi-layer perceptrons, trained fast on a CPU.

>>> import fastnn as fnn
>>> net = fnn.Sequential(fnn.Dense(64), fnn.ReLU(), fnn.Dropout(0.2), fnn.Dense(10))
>>> net.build(784).n_parameters
50890
"""

from __future__ import annotations

import importlib
from typing import Any

from fastnn._native import core as _core
from fastnn._show_config import set_num_threads, show_config
from fastnn.callbacks import EarlyStopping, EpochInfo
from fastnn.errors import DivergedError, NotBuiltError
from fastnn.history import History
from fastnn.layers import (
    CELU,
    ELU,
    GELU,
    SELU,
    BatchNorm,
    Dense,
    Dropout,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    LayerNorm,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from fastnn.losses import (
    MAE,
    MSE,
    BinaryCrossEntropy,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    LogCosh,
    PoissonNLL,
    Quantile,
)
from fastnn.optim import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    OptimizerState,
    RAdam,
    RMSprop,
    Rprop,
)
from fastnn.schedules import (
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    StepDecay,
    Warmup,
)
from fastnn.sequential import Sequential
from fastnn.trainer import Trainer

__version__: str = _core.__version__

# Modules loaded when first asked for.
_LAZY = frozenset({"datasets", "kernels", "reference"})

__all__ = [
    "ASGD",
    "CELU",
    "ELU",
    "GELU",
    "MAE",
    "MSE",
    "SELU",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Cosine",
    "CosineRestarts",
    "CrossEntropy",
    "Cyclic",
    "Dense",
    "DivergedError",
    "Dropout",
    "EarlyStopping",
    "EpochInfo",
    "Exponential",
    "Focal",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Hinge",
    "History",
    "Huber",
    "Identity",
    "InverseTime",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Lion",
    "LogCosh",
    "Mish",
    "MultiStep",
    "NAdam",
    "NotBuiltError",
    "OneCycle",
    "OptimizerState",
    "PoissonNLL",
    "Polynomial",
    "Quantile",
    "RAdam",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Rprop",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "StepDecay",
    "Tanh",
    "Trainer",
    "Warmup",
    "__version__",
    "datasets",
    "kernels",
    "reference",
    "set_num_threads",
    "show_config",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"fastnn.{name}")
    raise AttributeError(f"module 'fastnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
