"""Mixtures of two rows and of their targets."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.augment.base import Augment

__all__ = ["Mixup"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Mixup(Augment):
    """Mix each row of a batch with another one of it, and their targets alike.

    For each row i a row j of the batch, perhaps itself, and a share are drawn::

        share ~ Beta(alpha, alpha)
        x_i <- share x_i + (1 - share) x_j
        y_i <- share y_i + (1 - share) y_j

    What stands before it in the list is done to both rows first, what stands behind it
    to the mixture.

    Targets that are numbers, or rows of probabilities, are mixed themselves. An integer
    label counts as the row of probabilities that has a 1 at its place: the loss of a
    mixture of labels is ``share l(y_i) + (1 - share) l(y_j)``, exactly so for
    cross-entropy, with label smoothing as well, and for the focal loss. With
    `sample_weight` or `class_weight` a mixture weighs
    ``share w_i + (1 - share) w_j``.

    Metrics of training rows compare the outputs for mixtures with the targets of rows
    i as they were: look at the "val_" ones.

    Parameters
    ----------
    alpha : float, default 0.2
        > 0. Small: most shares lie near 0 or 1. 1: all shares are as likely. Large:
        most lie near 1/2.

    Raises
    ------
    ValueError
        An `alpha` out of range. By `fit`: two of them, or a loss that is a function,
        whose targets nobody knows how to mix.

    Notes
    -----
    The authors' program draws one share for the whole batch and pairs its rows by a
    permutation; one share for each row makes batches more alike, as
    ``keras.layers.MixUp`` has it.

    References
    ----------
    Zhang, Cisse, Dauphin and Lopez-Paz (2018), mixup: beyond empirical risk
    minimization, arXiv:1710.09412.

    Examples
    --------
    >>> import fastnn as fnn
    >>> X, y = fnn.augment.Mixup(1.0).apply([[0.0], [1.0]], [0, 1], seed=1)
    >>> bool((abs(X[:, 0] - y[:, 1]) < 1e-6).all())
    True
    """

    kind: ClassVar[str] = "mixup"
    alpha: float = 0.2
