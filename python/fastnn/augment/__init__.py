"""Augmentation: training rows changed at random in every step.

>>> import fastnn as fnn
>>> augment = [fnn.augment.Shift(2), fnn.augment.Rotate(10), fnn.augment.Mixup()]

``net.fit(X, y, augment=augment)`` changes the rows of each batch, in this order, after
they were gathered; the user's X and y stay as they are. Every number drawn is a
function of (seed, step, place in the list, row of the batch), so that neither the
number of threads nor an interruption changes a bit. Validation, `predict` and
`evaluate` see rows as they are. `preview` shows what a step sees.

`Mixup`, `Noise`, `Brightness` and `Contrast` take any rows. `Flip`, `Shift`, `Rotate`,
`Crop` and `Cutout` are for pictures: X of shape (rows, height, width) or (rows, height,
width, channels), or flat rows and ``shape=(height, width[, channels])``.
"""

from fastnn.augment.base import Augment, Picture
from fastnn.augment.mixup import Mixup
from fastnn.augment.places import Crop, Cutout, Flip, Rotate, Shift
from fastnn.augment.preview import preview
from fastnn.augment.values import Brightness, Contrast, Noise

__all__ = [
    "AUGMENTS",
    "Augment",
    "Brightness",
    "Contrast",
    "Crop",
    "Cutout",
    "Flip",
    "Mixup",
    "Noise",
    "Picture",
    "Rotate",
    "Shift",
    "preview",
]

AUGMENTS: dict[str, type[Augment]] = {
    cls.kind: cls
    for cls in (Mixup, Noise, Brightness, Contrast, Flip, Shift, Rotate, Crop, Cutout)
}
"""Every augmentation by its name."""
