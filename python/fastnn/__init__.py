"""fastnn: multi-layer perceptrons, trained fast on a CPU.

>>> import fastnn as fnn
>>> net = fnn.Sequential(fnn.Dense(64), fnn.ReLU(), fnn.Dropout(0.2), fnn.Dense(10))
>>> net.build(784).n_parameters
50890
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fastnn import _threadpool
from fastnn._native import core as _core
from fastnn._show_config import show_config
from fastnn._threads import set_num_threads
from fastnn.callbacks import (
    EMA,
    SWA,
    Checkpoint,
    CSVLogger,
    EarlyStopping,
    EpochInfo,
    TensorBoard,
)
from fastnn.errors import DivergedError, ModelFileError, NotBuiltError
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
    Residual,
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
    GaussianNLL,
    Hinge,
    Huber,
    LogCosh,
    PoissonNLL,
    Quantile,
)
from fastnn.optim import (
    ASGD,
    LBFGS,
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
from fastnn.sequential import Sequential, load
from fastnn.trainer import Trainer

__version__: str = _core.__version__

_threadpool.register()

if TYPE_CHECKING:
    from fastnn import datasets, kernels, onnx, reference
    from fastnn.sklearn import MLPClassifier, MLPRegressor

# Modules loaded when first asked for.
_LAZY = frozenset({"datasets", "kernels", "onnx", "reference"})

# Names from modules that need an extra, likewise.
_LAZY_FROM = {"MLPClassifier": "fastnn.sklearn", "MLPRegressor": "fastnn.sklearn"}

__all__ = [
    "ASGD",
    "CELU",
    "ELU",
    "EMA",
    "GELU",
    "LBFGS",
    "MAE",
    "MSE",
    "SELU",
    "SGD",
    "SWA",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CSVLogger",
    "Checkpoint",
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
    "GaussianNLL",
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
    "MLPClassifier",
    "MLPRegressor",
    "Mish",
    "ModelFileError",
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
    "Residual",
    "Rprop",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "StepDecay",
    "Tanh",
    "TensorBoard",
    "Trainer",
    "Warmup",
    "__version__",
    "datasets",
    "kernels",
    "load",
    "onnx",
    "reference",
    "set_num_threads",
    "show_config",
]


if not TYPE_CHECKING:  # a type checker would take every name for known

    def __getattr__(name: str) -> Any:
        if name in _LAZY:
            return importlib.import_module(f"fastnn.{name}")
        if name in _LAZY_FROM:
            return getattr(importlib.import_module(_LAZY_FROM[name]), name)
        raise AttributeError(f"module 'fastnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
