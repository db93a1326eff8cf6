"""The specification: every function of ``fastnn.kernels`` in readable NumPy.

Same names, same signatures, nothing compiled. Each docstring has the formula and its
source; the compiled kernels are tested against these functions and timed beside them.
Arrays are float32 or float64, and what goes in comes out. `MLP` puts the functions
together into a network that trains.
"""

from fastnn.reference.activations import activation_backward, activation_forward
from fastnn.reference.dense import dense_backward, dense_forward
from fastnn.reference.losses import (
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
from fastnn.reference.maxout import maxout_backward, maxout_forward
from fastnn.reference.mlp import MLP
from fastnn.reference.normalize import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
    layernorm_backward,
    layernorm_forward,
    rmsnorm_backward,
    rmsnorm_forward,
)
from fastnn.reference.optimizers import (
    adadelta_update,
    adagrad_update,
    adam_update,
    adamax_update,
    adamw_update,
    asgd_update,
    init_slots,
    lbfgs_minimize,
    lion_update,
    nadam_update,
    radam_update,
    rmsprop_update,
    rprop_update,
    sgd_update,
)
from fastnn.reference.prelu import prelu_backward, prelu_forward
from fastnn.reference.random import (
    alpha_dropout_backward,
    alpha_dropout_forward,
    dropconnect_forward,
    dropout_backward,
    dropout_forward,
    gaussian_noise,
    gradient_noise,
    permutation,
    philox4x32,
    survival_factors,
)
from fastnn.reference.weight_norm import weight_norm_backward, weight_norm_forward

__all__ = [
    "MLP",
    "activation_backward",
    "activation_forward",
    "adadelta_update",
    "adagrad_update",
    "adam_update",
    "adamax_update",
    "adamw_update",
    "alpha_dropout_backward",
    "alpha_dropout_forward",
    "asgd_update",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_inference",
    "binary_cross_entropy",
    "dense_backward",
    "dense_forward",
    "dropconnect_forward",
    "dropout_backward",
    "dropout_forward",
    "focal_loss",
    "gaussian_nll",
    "gaussian_noise",
    "gradient_noise",
    "hinge",
    "huber",
    "init_slots",
    "layernorm_backward",
    "layernorm_forward",
    "lbfgs_minimize",
    "lion_update",
    "log_cosh",
    "mae",
    "maxout_backward",
    "maxout_forward",
    "mse",
    "nadam_update",
    "permutation",
    "philox4x32",
    "poisson_nll",
    "prelu_backward",
    "prelu_forward",
    "quantile_loss",
    "radam_update",
    "rmsnorm_backward",
    "rmsnorm_forward",
    "rmsprop_update",
    "rprop_update",
    "sgd_update",
    "softmax_cross_entropy",
    "squared_error",
    "survival_factors",
    "weight_norm_backward",
    "weight_norm_forward",
]
