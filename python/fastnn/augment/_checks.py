"""Augmentations that belong to the data of a fit, checked together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

from fastnn._validation import same_pictures
from fastnn.augment.base import Augment, Picture
from fastnn.augment.mixup import Mixup
from fastnn.losses import Loss

__all__ = ["as_augments", "check_augments", "with_shape"]


def as_augments(value: object) -> tuple[Augment, ...]:
    """Return what stands in ``augment=``, one or several or None, as a tuple.

    Raises
    ------
    TypeError, ValueError
        For what is no augmentation, and for a second `Mixup`.
    """
    if value is None:
        return ()
    if isinstance(value, (Augment, type)):
        value = (value,)
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, dict)):
        raise TypeError(
            "augment must be a list of augmentations such as fastnn.augment.Noise(0.1)"
            f", got {type(value).__name__} {value!r}"
        )
    augments = tuple(value)
    for i, augment in enumerate(augments):
        if isinstance(augment, type) and issubclass(augment, Augment):
            raise TypeError(
                f"augment[{i}] is the class {augment.__name__}; write "
                f"{augment.__name__}(...)"
            )
        if not isinstance(augment, Augment):
            raise TypeError(
                f"augment[{i}] must be an augmentation such as "
                f"fastnn.augment.Noise(0.1), got {type(augment).__name__} {augment!r}"
            )
    mixups = [i for i, augment in enumerate(augments) if isinstance(augment, Mixup)]
    if len(mixups) > 1:
        raise ValueError(
            f"augment[{mixups[1]}] is a second Mixup, after augment[{mixups[0]}]: keep "
            "one, with a larger alpha for more of it"
        )
    return augments


def with_shape(
    augments: Sequence[Augment], shape: tuple[int, ...] | None
) -> tuple[Augment, ...]:
    """Return the augmentations with the shape of X's pictures, where X has said it.

    Raises
    ------
    ValueError
        If one has another shape, or a setting that does not suit this one.
    """
    if shape is None:
        return tuple(augments)
    return tuple(_with_shape(i, augment, shape) for i, augment in enumerate(augments))


def _with_shape(i: int, augment: Augment, shape: tuple[int, ...]) -> Augment:
    if not isinstance(augment, Picture):
        return augment
    if augment.shape is None:
        try:
            return dataclasses.replace(augment, shape=shape)
        except ValueError as error:
            raise ValueError(f"augment[{i}]: {error}") from None
    if not same_pictures(augment.shape, shape):
        raise ValueError(
            f"augment[{i}]: {augment!r} has shape {augment.shape}, but X has pictures "
            f"of shape {shape}: leave shape out, X says it"
        )
    return augment


def check_augments(
    augments: Sequence[Augment], in_features: int, loss: Loss | None = None
) -> None:
    """Raise ValueError for pictures that rows are none of, or targets none can mix."""
    for i, augment in enumerate(augments):
        if isinstance(augment, Picture):
            _check_size(f"augment[{i}]: {type(augment).__name__}", augment, in_features)
        if isinstance(augment, Mixup) and loss is not None and loss.kind == "custom":
            raise ValueError(
                f"augment[{i}]: Mixup mixes the targets, but a loss function looks up "
                "those of the rows as they are: use one of fastnn's losses, or leave "
                "Mixup out"
            )


def _check_size(name: str, augment: Picture, in_features: int) -> None:
    shape = augment.shape
    if shape is None:
        raise ValueError(
            f"{name} needs to know what pictures the rows of X are: give X as (rows, "
            "height, width) or (rows, height, width, channels), or say shape=(height, "
            f"width[, channels]) of the {in_features} features"
        )
    size = math.prod(shape)
    if size != in_features:
        product = " x ".join(map(str, shape))
        raise ValueError(
            f"{name} has shape {shape}, pictures of {product} = {size} numbers, but X "
            f"has {in_features} features: give the height, width and channels of X's "
            "pictures"
        )
