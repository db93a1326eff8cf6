"""Layers in a row: whether their widths agree, and what goes in and comes out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from fastnn.layers.base import Layer, TensorSpec
from fastnn.layers.dense import Dense
from fastnn.layers.maxout import Maxout

__all__ = [
    "checked_chain",
    "count_parameters",
    "count_statistics",
    "declared_width",
    "head_position",
    "named_layers",
    "named_tensors",
    "output_width",
]

_STATISTICS = ("running_mean", "running_var")


def checked_chain(given: tuple[Any, ...], owner: str = "") -> tuple[Layer, ...]:
    """Return the layers, from arguments or one list, whose widths agree.

    `owner` is what errors begin with: nothing, or the block that they make up.
    """
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        given = tuple(given[0])
    if not given:
        needs = "it" if owner else "a Sequential"
        raise ValueError(f"{owner}layers: {needs} needs at least one layer, got none")
    width = None
    for i, layer in enumerate(given):
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise TypeError(
                f"{owner}layers[{i}] is the class {layer.__name__}; write "
                f"{layer.__name__}()"
            )
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{owner}layers[{i}] must be a layer such as fastnn.Dense(10), got "
                f"{type(layer).__name__} {layer!r}"
            )
        declared = declared_width((layer,))
        if None not in (width, declared) and width != declared:
            raise ValueError(
                f"{owner}layers[{i}]: in_features={declared}, but the layer "
                f"before it gives {width}; leave in_features out"
            )
        try:
            width = output_width((layer,), width)
        except ValueError as error:
            raise ValueError(f"{owner}layers[{i}]: {error}") from None
    return given


def named_layers(
    layers: Sequence[Layer], prefix: str = "", *, blocks: bool = False
) -> Iterator[tuple[str, Layer]]:
    """Yield all layers, those within blocks in their blocks' place, by their names.

    The layers of block 1 are "1.0", "1.1", ...: what their tensors' names begin with.
    With `blocks` the block itself comes before them.
    """
    for i, layer in enumerate(layers):
        name = f"{prefix}{i}"
        if blocks or not layer.inner():
            yield name, layer
        yield from named_layers(layer.inner(), f"{name}.", blocks=blocks)


def head_position(layers: Sequence[Layer]) -> int | None:
    """Return the position of the last Dense or Maxout, None if there is none."""
    for i in reversed(range(len(layers))):
        if isinstance(layers[i], (Dense, Maxout)):
            return i
    return None


def named_tensors(
    layers: Sequence[Layer], in_features: int, dtype: str
) -> dict[str, TensorSpec]:
    """Return dtype and shape of every tensor, in the order of ``state_dict()``."""
    specs, width = {}, in_features
    for i, layer in enumerate(layers):
        for name, spec in layer.tensors(width, dtype).items():
            specs[f"{i}.{name}"] = spec
        width = layer.width(width)
    return specs


def declared_width(layers: Sequence[Layer]) -> int | None:
    """Return in_features of the first with weights: those before it keep the width."""
    inner = (layer for _, layer in named_layers(layers))
    first = next((x for x in inner if isinstance(x, (Dense, Maxout))), None)
    return None if first is None else first.in_features


def output_width(layers: Sequence[Layer], in_features: int | None) -> int | None:
    """Return what comes out for `in_features` (None: unknown) columns."""
    width = in_features
    for layer in layers:
        if width is not None or isinstance(layer, (Dense, Maxout)):
            width = layer.width(width or 0)
        else:
            width = output_width(layer.inner(), None)
    return width


def count_parameters(layers: Sequence[Layer], in_features: int) -> int:
    """Return the number of trainable numbers, before any is allocated."""
    return sum(n for name, n in _sizes(layers, in_features) if name not in _STATISTICS)


def count_statistics(layers: Sequence[Layer], in_features: int) -> int:
    """Return how many numbers training moves otherwise than by gradients."""
    return sum(n for name, n in _sizes(layers, in_features) if name in _STATISTICS)


def _sizes(layers: Sequence[Layer], in_features: int) -> Iterator[tuple[str, int]]:
    """Yield the name within its layer and the size of each tensor, but counters."""
    for path, (_, shape) in named_tensors(layers, in_features, "float32").items():
        name = path.rpartition(".")[2]
        if name != "num_batches_tracked":
            yield name, math.prod(shape)
