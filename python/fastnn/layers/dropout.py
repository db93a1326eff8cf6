"""Dropout."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.layers.base import Layer

__all__ = ["Dropout"]


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
