"""Losses on plain NumPy arrays: see `fastnn.kernels`.

Every loss is a weighted mean over rows, L = sum_i w_i l_i / sum_i w_i with w_i = 1
unless `sample_weight` says otherwise, and returns (L, dL/d outputs). Where a row has
several outputs, l_i is the mean over them, unless a loss says otherwise; the
losses of softmax are one number a row.
"""

from fastnn.kernels.losses.classification import (
    binary_cross_entropy,
    focal_loss,
    hinge,
    softmax_cross_entropy,
)
from fastnn.kernels.losses.regression import (
    gaussian_nll,
    huber,
    log_cosh,
    mae,
    mse,
    poisson_nll,
    quantile_loss,
    squared_error,
)

__all__ = [
    "binary_cross_entropy",
    "focal_loss",
    "gaussian_nll",
    "hinge",
    "huber",
    "log_cosh",
    "mae",
    "mse",
    "poisson_nll",
    "quantile_loss",
    "softmax_cross_entropy",
    "squared_error",
]
