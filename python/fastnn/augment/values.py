"""Changes of the numbers of a row, whatever they stand for."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.augment.base import Augment

__all__ = ["Brightness", "Contrast", "Noise"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Noise(Augment):
    """Add Gaussian noise to every number: ``x + std n``, n standard normal.

    Parameters
    ----------
    std : float
        The standard deviation, >= 0, in the units of X: for columns of variance 1
        begin with 0.1.

    References
    ----------
    Bishop (1995), Training with noise is equivalent to Tikhonov regularization.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> noisy = fnn.augment.Noise(0.1).apply(np.zeros((1000, 4)))
    >>> bool(0.09 < noisy.std() < 0.11)
    True
    """

    kind: ClassVar[str] = "noise"
    std: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Brightness(Augment):
    """Add the same number to all of a row: ``x + u``, u uniform in [-limit, limit).

    Nothing is clipped. (torchvision's ``ColorJitter(brightness=)`` multiplies, which
    is another thing once pixels have mean 0; this is ``keras.layers.RandomBrightness``
    with a `value_range` of (0, 1).)

    Parameters
    ----------
    limit : float
        >= 0, in the units of X.

    Examples
    --------
    >>> import fastnn as fnn
    >>> row = fnn.augment.Brightness(0.5).apply([[1.0, 3.0]])[0]
    >>> round(float(row[1] - row[0]), 5)
    2.0
    """

    kind: ClassVar[str] = "brightness"
    limit: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Contrast(Augment):
    """Stretch a row about its mean m: ``m + (1 + u) (x - m)``.

    u is uniform in [-limit, limit), m the mean of all numbers of the row. Nothing is
    clipped.

    Parameters
    ----------
    limit : float
        In [0, 1].

    Examples
    --------
    >>> import fastnn as fnn
    >>> row = fnn.augment.Contrast(0.5).apply([[1.0, 3.0]])[0]
    >>> round(float(row.mean()), 5)
    2.0
    """

    kind: ClassVar[str] = "contrast"
    limit: float
