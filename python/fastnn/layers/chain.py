"""Layers in a row: whether their widths agree, and what goes in and comes out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from fastnn.layers.base import Layer
from fastnn.layers.dense import Dense
from fastnn.layers.maxout import Maxout

__all__ = [
    "checked_chain",
    "count_parameters",
    "count_statistics",
    "declared_width",
    "output_width",
]

_STATISTICS = ("running_mean", "running_var")


def checked_chain(given: tuple[Any, ...]) -> tuple[Layer, ...]:
    """Return the layers, from arguments or one list, whose widths agree."""
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        given = tuple(given[0])
    if not given:
        raise ValueError("layers: a Sequential needs at least one layer, got none")
    width = None
    for i, layer in enumerate(given):
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise TypeError(
                f"layers[{i}] is the class {layer.__name__}; write {layer.__name__}()"
            )
        if not isinstance(layer, Layer):
            raise TypeError(
                f"layers[{i}] must be a layer such as fastnn.Dense(10), got "
                f"{type(layer).__name__} {layer!r}"
            )
        if isinstance(layer, (Dense, Maxout)):
            if None not in (width, layer.in_features) and width != layer.in_features:
                raise ValueError(
                    f"layers[{i}]: in_features={layer.in_features}, but the layer "
                    f"before it gives {width}; leave in_features out"
                )
            width = layer.units
    return given


def declared_width(layers: tuple[Layer, ...]) -> int | None:
    """Return in_features of the first with weights: those before it keep the width."""
    return next((x.in_features for x in layers if isinstance(x, (Dense, Maxout))), None)


def output_width(layers: Sequence[Layer], in_features: int | None) -> int | None:
    """Return what comes out for `in_features` (None: unknown) columns."""
    width = in_features
    for layer in layers:
        if width is not None or isinstance(layer, (Dense, Maxout)):
            width = layer.width(width or 0)
    return width


def count_parameters(layers: Sequence[Layer], in_features: int) -> int:
    """Return the number of trainable numbers, before any is allocated."""
    return sum(n for name, n in _sizes(layers, in_features) if name not in _STATISTICS)


def count_statistics(layers: Sequence[Layer], in_features: int) -> int:
    """Return how many numbers training moves otherwise than by gradients."""
    return sum(n for name, n in _sizes(layers, in_features) if name in _STATISTICS)


def _sizes(layers: Sequence[Layer], in_features: int) -> Iterator[tuple[str, int]]:
    """Yield the name within its layer and the size of each tensor, but counters."""
    width = in_features
    for layer in layers:
        for name, (_, shape) in layer.tensors(width, "float32").items():
            if name != "num_batches_tracked":
                yield name, math.prod(shape)
        width = layer.width(width)
