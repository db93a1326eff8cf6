"""Layers in a row: whether their widths agree, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastnn.layers.base import Layer
from fastnn.layers.dense import Dense
from fastnn.layers.normalization import BatchNorm, LayerNorm

__all__ = ["checked_chain", "count_parameters", "declared_width", "output_width"]


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
        if isinstance(layer, Dense):
            if None not in (width, layer.in_features) and width != layer.in_features:
                raise ValueError(
                    f"layers[{i}]: in_features={layer.in_features}, but the layer "
                    f"before it gives {width}; leave in_features out"
                )
            width = layer.units
    return given


def declared_width(layers: tuple[Layer, ...]) -> int | None:
    """Return in_features of the first Dense: the layers before it keep the width."""
    return next((x.in_features for x in layers if isinstance(x, Dense)), None)


def output_width(layers: Sequence[Layer], in_features: int | None) -> int | None:
    """Return what comes out for `in_features` (None: unknown) columns."""
    width = in_features
    for layer in layers:
        if width is not None or isinstance(layer, Dense):
            width = layer.width(width or 0)
    return width


def count_parameters(layers: Sequence[Layer], in_features: int) -> int:
    """Return the number of trainable numbers, before any is allocated."""
    count, width = 0, in_features
    for layer in layers:
        if isinstance(layer, Dense):
            count += layer.units * (width + layer.use_bias)
        elif isinstance(layer, (BatchNorm, LayerNorm)):
            count += 2 * width
        width = layer.width(width)
    return count
