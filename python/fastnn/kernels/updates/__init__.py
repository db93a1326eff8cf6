"""The optimizers' updates as plain functions of NumPy arrays.

``{rule}_update(params, grads, *slots, step=t, **settings)`` takes step t = 1, 2, ... of
a rule, in place on `params` and the slots, and returns None. Names and order are those
of `fastnn.reference`, the readable specification; formula, settings, defaults and
papers stand with the optimizer of the same name: `fastnn.Adam` for `adam_update`.

All arrays share one shape, any, and one dtype, float32 or float64. `init_slots` makes
the slots; those that the settings do not use may be None. `lr` is the rate of this
step. Wrong types raise TypeError; settings out of range, a slot that is missing or of
another shape, and arrays that are read-only or overlap raise ValueError, with nothing
changed.
"""

from fastnn.kernels.updates._rule import init_slots
from fastnn.kernels.updates.adagrad_family import (
    adadelta_update,
    adagrad_update,
    rmsprop_update,
)
from fastnn.kernels.updates.adam_family import adam_update, adamax_update, adamw_update
from fastnn.kernels.updates.adam_variants import nadam_update, radam_update
from fastnn.kernels.updates.gradient_descent import asgd_update, sgd_update
from fastnn.kernels.updates.sign_family import lion_update, rprop_update

__all__ = [
    "adadelta_update",
    "adagrad_update",
    "adam_update",
    "adamax_update",
    "adamw_update",
    "asgd_update",
    "init_slots",
    "lion_update",
    "nadam_update",
    "radam_update",
    "rmsprop_update",
    "rprop_update",
    "sgd_update",
]
