"""fastnn: multi-layer perceptrons, trained fast on a CPU.

>>> import fastnn as fnn
>>> net = fnn.Sequential(fnn.Dense(64), fnn.ReLU(), fnn.Dropout(0.2), fnn.Dense(10))
>>> net.build(784).n_parameters
50890

What this module offers is loaded when it is first asked for: the table below says where
it lives. ``__init__.pyi`` says the same to type checkers.
"""

from __future__ import annotations

import importlib
from typing import Any

from fastnn import _threadpool
from fastnn._native import core as _core

__version__: str = _core.__version__

_threadpool.register()

_MODULES = (
    *("augment", "callbacks", "curvature", "datasets", "kernels", "layers"),
    *("losses", "onnx"),
    *("optim", "reference", "schedules"),
)

_NAMES = {
    "fastnn._show_config": ("show_config",),
    "fastnn._threads": ("set_num_threads",),
    "fastnn.callbacks": (
        "EMA",
        "SWA",
        "Checkpoint",
        "CSVLogger",
        "EarlyStopping",
        "EpochInfo",
        "TensorBoard",
    ),
    "fastnn.diagnosis": (
        "Finding",
        "Report",
        "diagnose",
    ),
    "fastnn.curvature": (
        "critical_point",
        "gauss_newton_vector_product",
        "hessian_spectrum",
        "hessian_vector_product",
    ),
    "fastnn.ensemble": (
        "Ensemble",
        "SnapshotEnsemble",
    ),
    "fastnn.errors": (
        "DivergedError",
        "ModelFileError",
        "NotBuiltError",
    ),
    "fastnn.gradient_noise": ("GradientNoise",),
    "fastnn.history": ("History",),
    "fastnn.layers": (
        "CELU",
        "ELU",
        "GELU",
        "SELU",
        "AlphaDropout",
        "BatchNorm",
        "Dense",
        "Dropout",
        "GaussianNoise",
        "HardSigmoid",
        "HardSwish",
        "HardTanh",
        "Identity",
        "LayerNorm",
        "LeakyReLU",
        "Maxout",
        "Mish",
        "PReLU",
        "ReLU",
        "RMSNorm",
        "Residual",
        "Sigmoid",
        "SiLU",
        "Softplus",
        "Softsign",
        "Tanh",
    ),
    "fastnn.losses": (
        "MAE",
        "MSE",
        "BinaryCrossEntropy",
        "CrossEntropy",
        "Focal",
        "GaussianNLL",
        "Hinge",
        "Huber",
        "LogCosh",
        "PoissonNLL",
        "Quantile",
    ),
    "fastnn.model_selection": (
        "batch_size_study",
        "cross_validate",
        "depth_study",
        "lr_find",
    ),
    "fastnn.optim": (
        "ASGD",
        "LBFGS",
        "SGD",
        "Adadelta",
        "Adagrad",
        "Adam",
        "Adamax",
        "AdamW",
        "Lion",
        "NAdam",
        "OptimizerState",
        "RAdam",
        "RMSprop",
        "Rprop",
    ),
    "fastnn.schedules": (
        "Cosine",
        "CosineRestarts",
        "Cyclic",
        "Exponential",
        "InverseTime",
        "Linear",
        "MultiStep",
        "OneCycle",
        "Polynomial",
        "ReduceOnPlateau",
        "StepDecay",
        "Warmup",
    ),
    "fastnn.sequential": (
        "Sequential",
        "load",
    ),
    "fastnn.sklearn": (
        "MLPClassifier",
        "MLPRegressor",
    ),
    "fastnn.trainer": ("Trainer",),
}

_HOME = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [*_HOME, *_MODULES, "__version__"]  # noqa: PLE0604  (they are)


def __getattr__(name: str) -> Any:
    if home := _HOME.get(name):
        found = getattr(importlib.import_module(home), name)
        globals()[name] = found
        return found
    if name in _MODULES:
        return importlib.import_module(f"fastnn.{name}")
    raise AttributeError(f"module 'fastnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return what is for users, without what this file imports."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
