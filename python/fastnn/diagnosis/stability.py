"""How much curvature the user's steps can bear before they leap over the valley.

Steps ``w -= lr D m``, where m is the gradient with its momentum b and D what each
parameter's step is multiplied by (1, or one over the root of averaged squared
gradients), shrink a quadratic loss with Hessian H if the eigenvalues of
``D^(1/2) H D^(1/2)`` are below

    2 / lr                      gradient descent
    2 (1 + b) / ((1 - d) lr)    with momentum and dampening d
    2 (1 + b) / ((1 + 2 b) lr)  with Nesterov's momentum
    2 (1 + b) / ((1 - b) lr)    Adam, whose m is an average

and grow it beyond: Cohen et al. 2021, "Gradient descent on neural networks typically
occurs at the edge of stability", and 2022, "Adaptive gradient methods at the edge of
stability", which takes D as fixed, since it changes slowly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.curvature._lanczos import Ritz, lanczos, random_signs
from fastnn.curvature._objective import Objective
from fastnn.diagnosis.trial import Ending, Setup
from fastnn.layers import BatchNorm, Layer
from fastnn.layers.chain import named_layers
from fastnn.optim import SGD, Adagrad, Adam, AdamW, RMSprop

__all__ = ["Bound", "bound_of", "sharpness"]

Array = npt.NDArray[Any]

_TOLERANCE = 0.02  # of the eigenvalue


@dataclasses.dataclass(frozen=True)
class Bound:
    """What the largest eigenvalue is compared with.

    Attributes
    ----------
    largest : float
        The eigenvalue from which on steps grow.
    scale : ndarray of shape (n_parameters,) or None
        D; None: 1.
    decay : float
        What weight decay that is part of the gradient adds to the Hessian.
    """

    largest: float
    scale: Array | None = None
    decay: float = 0.0


def bound_of(setup: Setup, layers: tuple[Layer, ...], end: Ending) -> Bound | None:
    """Return the bound for the last step of a training; None where none is known.

    So it is with clipped gradients, layers with rates of their own, and BatchNorm,
    which trains on another function than the one whose Hessian is known.
    """
    rule = _RULES.get(type(setup.optimizer))
    clips = any(setup.trainer.get(name) for name in ("clip_norm", "clip_value"))
    if rule is None or clips or getattr(setup.optimizer, "maximize", False):
        return None
    for _, layer in named_layers(layers):
        if isinstance(layer, BatchNorm) or getattr(layer, "lr_scale", 1.0) != 1.0:
            return None
    return rule(setup.optimizer, end) if end.settings.get("lr", 0.0) > 0 else None


def sharpness(objective: Objective, bound: Bound, max_steps: int) -> float:
    """Return about the largest eigenvalue of the scaled Hessian, from below."""
    n = objective.n_parameters
    root = np.ones(n)
    if bound.scale is not None:
        root = np.sqrt(objective.narrowed(bound.scale.astype(np.float64)))

    def product(v: Array) -> Array:
        scaled = root * v
        return np.asarray(root * (objective.product(scaled) + bound.decay * scaled))

    start = random_signs(n, 0, 0)
    return float(lanczos(product, start, max_steps, enough=_is_known).values[-1])


def _is_known(ritz: Ritz) -> bool:
    return bool(ritz.residuals[-1] <= _TOLERANCE * abs(ritz.values[-1]))


def _sgd(rule: Any, end: Ending) -> Bound | None:
    lr, b = end.settings["lr"], end.settings.get("momentum", rule.momentum)
    decay = end.settings.get("weight_decay", rule.weight_decay)
    if b == 0:
        return Bound(2 / lr, decay=decay)
    if rule.nesterov:
        return Bound(2 * (1 + b) / ((1 + 2 * b) * lr), decay=decay)
    if b >= 1 or rule.dampening >= 1:
        return None
    return Bound(2 * (1 + b) / ((1 - rule.dampening) * lr), decay=decay)


def _adam(rule: Any, end: Ending) -> Bound | None:
    lr, b = end.settings["lr"], end.settings.get("momentum", rule.betas[0])
    squares = end.slots["max_exp_avg_sq" if rule.amsgrad else "exp_avg_sq"]
    root = np.sqrt(squares / (1 - rule.betas[1] ** end.step))
    decay = end.settings.get("weight_decay", rule.weight_decay)
    apart = isinstance(rule, AdamW) or rule.decoupled_weight_decay
    # Weights that shrink by a = lr decay beside a step: (2 - a) in the place of 2.
    two = 2 - lr * decay if apart else 2
    if b >= 1 or two <= 0:
        return None
    largest = two * (1 + b) / ((1 - b) * lr)
    return Bound(largest, _inverse(root, rule.eps), 0.0 if apart else decay)


def _rmsprop(rule: Any, end: Ending) -> Bound | None:
    lr, b = end.settings["lr"], end.settings.get("momentum", rule.momentum)
    if b >= 1:
        return None
    squares = end.slots["square_avg"]
    if rule.centered:
        squares = np.maximum(squares - end.slots["grad_avg"] ** 2, 0)
    decay = end.settings.get("weight_decay", rule.weight_decay)
    return Bound(2 * (1 + b) / lr, _inverse(np.sqrt(squares), rule.eps), decay)


def _adagrad(rule: Any, end: Ending) -> Bound | None:
    lr = end.settings["lr"] / (1 + (end.step - 1) * rule.lr_decay)
    decay = end.settings.get("weight_decay", rule.weight_decay)
    return Bound(2 / lr, _inverse(np.sqrt(end.slots["sum"]), rule.eps), decay)


def _inverse(root: Array, eps: float) -> Array:
    """Return 1 / (root + eps); 0 for parameters that no gradient has reached."""
    divisor = root.astype(np.float64) + eps
    return np.divide(1.0, divisor, out=np.zeros_like(divisor), where=root > 0)


_RULES: dict[type, Callable[[Any, Ending], Bound | None]] = {
    SGD: _sgd,
    Adam: _adam,
    AdamW: _adam,
    RMSprop: _rmsprop,
    Adagrad: _adagrad,
}
