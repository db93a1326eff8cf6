"""Changes of where things are in a picture."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn.augment.base import Picture

__all__ = ["Crop", "Cutout", "Flip", "Rotate", "Shift"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Flip(Picture):
    """Mirror a picture: left and right, top and bottom, each with probability p.

    For things that look the same in a mirror: cats do, digits do not.

    Parameters
    ----------
    horizontal : bool, default True
        Whether left and right may change places.
    vertical : bool, default False
        Whether top and bottom may.
    p : float, default 0.5
        The probability of each, in [0, 1].
    shape : (height, width) or (height, width, channels), optional
        Of the pictures, channels last; None: that of X. Keyword only.

    Examples
    --------
    >>> import fastnn as fnn
    >>> flip = fnn.augment.Flip(p=1.0, shape=(2, 2))
    >>> flip.apply([[1.0, 2.0, 3.0, 4.0]]).tolist()
    [[2.0, 1.0, 4.0, 3.0]]
    """

    kind: ClassVar[str] = "flip"
    horizontal: bool = True
    vertical: bool = False
    p: float = 0.5


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Shift(Picture):
    """Move a picture by whole pixels, down or up and right or left.

    Both are drawn uniformly from -k .. k.

    Parameters
    ----------
    limit : int or float
        k: a number of pixels >= 1, below the longer side of the picture, or a part of
        height and of width in (0, 1), rounded to pixels.
    fill : float, default 0.0
        What comes in from outside: the background, in the units of X. Keyword only.
    shape : (height, width) or (height, width, channels), optional
        As for `Flip`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> shift = fnn.augment.Shift(1, shape=(3, 3))
    >>> dot = [[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
    >>> float(shift.apply(dot).sum())
    1.0
    """

    kind: ClassVar[str] = "shift"
    limit: int | float
    _: dataclasses.KW_ONLY
    fill: float = 0.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Rotate(Picture):
    """Turn a picture about its centre, by an angle uniform in [-degrees, degrees).

    A pixel becomes the bilinear mean of the four around the place it comes from.

    Parameters
    ----------
    degrees : float
        In [0, 180].
    fill : float, default 0.0
        What comes in from outside: the background, in the units of X. Keyword only.
    shape : (height, width) or (height, width, channels), optional
        As for `Flip`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> cross = [[[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]]
    >>> float(fnn.augment.Rotate(45).apply(cross)[0, 1, 1])  # the centre stays
    1.0
    """

    kind: ClassVar[str] = "rotate"
    degrees: float
    _: dataclasses.KW_ONLY
    fill: float = 0.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Crop(Picture):
    """Cut a part out of a picture and stretch it to the size of the whole.

    The part has the picture's own proportions; its area and its place are drawn
    uniformly, not rounded to pixels. A pixel becomes the bilinear mean of the four
    around the place it comes from; beyond an edge the pixels of the edge go on.
    (torchvision's ``RandomResizedCrop`` changes the proportions as well.)

    Parameters
    ----------
    scale : (float, float), default (0.8, 1.0)
        The least and greatest part of the area, in (0, 1].
    shape : (height, width) or (height, width, channels), optional
        As for `Flip`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> crop = fnn.augment.Crop((0.5, 0.8), shape=(2, 2))
    >>> rows = crop.apply([[0.0, 1.0, 0.0, 1.0]])
    >>> bool(rows.min() >= 0.0 and rows.max() <= 1.0)
    True
    """

    kind: ClassVar[str] = "crop"
    scale: tuple[float, float] = (0.8, 1.0)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Cutout(Picture):
    """Blank a square whose centre is any pixel; what lies outside of it stays.

    Near an edge less than the whole square is blanked.

    Parameters
    ----------
    size : int
        The side of the square in pixels, from 1 to the longer side of the picture.
    fill : float, default 0.0
        What stands in the square, in the units of X; best the mean pixel. Keyword only.
    shape : (height, width) or (height, width, channels), optional
        As for `Flip`. In signals, of shape ``(1, length)``, a run of `size` numbers is
        blanked.

    References
    ----------
    DeVries and Taylor (2017), Improved regularization of convolutional neural networks
    with cutout, arXiv:1708.04552.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> rows = fnn.augment.Cutout(1, shape=(2, 2)).apply(np.ones((5, 4)))
    >>> rows.sum(axis=1).tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0]
    """

    kind: ClassVar[str] = "cutout"
    size: int
    _: dataclasses.KW_ONLY
    fill: float = 0.0
