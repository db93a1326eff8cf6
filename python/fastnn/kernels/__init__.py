"""The compiled kernels on plain NumPy arrays.

The functions a network trains with, one call each: no network needed. Their names,
arguments and meaning are those of `fastnn.reference`, which states every formula in
readable NumPy, and which these are tested against.

* Arrays are float32 or float64, all of one dtype in a call; what goes in comes out.
  Inputs may have any strides and byte order: they are copied where that is needed.
* ``out=`` takes the memory of a result: writable, C-contiguous, of its shape and
  dtype.
* ``n_threads=None`` takes one thread for small work and the usual number for large
  work. The bits of a result do not depend on it. The GIL is free while a kernel runs.
* ``{rule}_update`` changes parameters and slots in place: one step of an optimizer.
* Denormal numbers count as zero. NaN and infinities go through.

Examples
--------
A dense layer forward and backward:

>>> import numpy as np
>>> from fastnn import kernels
>>> rng = np.random.default_rng(0)
>>> x, w, b = rng.normal(size=(32, 4)), rng.normal(size=(3, 4)), np.zeros(3)
>>> y = kernels.dense_forward(x, w, b, "tanh")
>>> loss, dy = kernels.mse(y, np.zeros((32, 3)))
>>> dx, dw, db = kernels.dense_backward(dy, x, w, y, "tanh")
>>> dx.shape, dw.shape, db.shape
((32, 4), (3, 4), (3,))
"""

from fastnn.kernels.activations import activation_backward, activation_forward
from fastnn.kernels.dense import dense_backward, dense_forward
from fastnn.kernels.dropout import dropout_backward, dropout_forward
from fastnn.kernels.losses import (
    binary_cross_entropy,
    focal_loss,
    gaussian_nll,
    hinge,
    huber,
    log_cosh,
    mae,
    mse,
    poisson_nll,
    quantile_loss,
    softmax_cross_entropy,
    squared_error,
)
from fastnn.kernels.normalize import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
    layernorm_backward,
    layernorm_forward,
)
from fastnn.kernels.updates import (
    adadelta_update,
    adagrad_update,
    adam_update,
    adamax_update,
    adamw_update,
    asgd_update,
    init_slots,
    lion_update,
    nadam_update,
    radam_update,
    rmsprop_update,
    rprop_update,
    sgd_update,
)

__all__ = [
    "activation_backward",
    "activation_forward",
    "adadelta_update",
    "adagrad_update",
    "adam_update",
    "adamax_update",
    "adamw_update",
    "asgd_update",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_inference",
    "binary_cross_entropy",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "focal_loss",
    "gaussian_nll",
    "hinge",
    "huber",
    "init_slots",
    "layernorm_backward",
    "layernorm_forward",
    "lion_update",
    "log_cosh",
    "mae",
    "mse",
    "nadam_update",
    "poisson_nll",
    "quantile_loss",
    "radam_update",
    "rmsprop_update",
    "rprop_update",
    "sgd_update",
    "softmax_cross_entropy",
    "squared_error",
]
