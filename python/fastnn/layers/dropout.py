"""Layers that are random in training and nothing in inference."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.layers.base import Layer

__all__ = ["AlphaDropout", "Dropout", "GaussianNoise"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dropout(Layer):
    """Zeroes each element with probability p in training and scales the rest.

    ``y = x * mask / (1 - p)`` ("inverted" dropout), the identity in inference.
    Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting" (2014). The mask is a function of the network's seed, the step, the
    layer and the row alone: it does not depend on the number of threads.

    Parameters
    ----------
    p : float, default 0.5
        Probability of an element to be zeroed, in [0, 1). (torch also takes 1, which
        leaves nothing to learn from.)

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.Sequential(fnn.Dropout(0.2)).build(2).predict([[1.0, 3.0]]).tolist()
    [[1.0, 3.0]]
    """

    kind: ClassVar[str] = "dropout"
    p: float = 0.5


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AlphaDropout(Layer):
    """Dropout for `SELU`: mean 0 and variance 1 of what comes in are kept.

    Each element is set with probability p to s = -1.7581, the value SELU tends to for x
    to minus infinity; then all are mapped by ``a * x + b`` with
    ``a = 1 / sqrt((1 - p) * (1 + p * s**2))`` and ``b = -a * p * s``. The identity in
    inference. Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural
    networks" (2017), and ``torch.nn.AlphaDropout``. The mask is drawn as that of
    `Dropout`.

    Parameters
    ----------
    p : float, default 0.5
        Probability of an element to be replaced, in [0, 1). Klambauer et al. take 0.05
        to 0.1.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.Sequential(fnn.AlphaDropout(0.1)).build(2).predict([[1.0, 3.0]]).tolist()
    [[1.0, 3.0]]
    """

    kind: ClassVar[str] = "alpha_dropout"
    p: float = 0.5


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GaussianNoise(Layer):
    """Adds normal noise in training: ``y = x + std * n``; the identity in inference.

    As a first layer it blurs the data, which for small `std` is a penalty on the slope
    of the outputs: Bishop, "Training with noise is equivalent to Tikhonov
    regularization" (1995); Keras' GaussianNoise. n is standard normal, and as the mask
    of `Dropout` a function of the network's seed, the step, the layer and the row
    alone.

    Parameters
    ----------
    std : float
        Standard deviation, >= 0, in the units of x: scale the features first.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.Sequential(fnn.GaussianNoise(0.1)).build(2).predict([[1.0, 3.0]]).tolist()
    [[1.0, 3.0]]
    """

    kind: ClassVar[str] = "gaussian_noise"
    std: float
