"""Networks like the user's with one thing changed: what a probe trains beside it.

All are drawn anew: weights that fit other shapes do not exist.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from fastnn.layers import (
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    GaussianNoise,
    Identity,
    Layer,
    LayerNorm,
    Maxout,
    Residual,
    RMSNorm,
)
from fastnn.layers.base import Activation
from fastnn.layers.chain import named_layers

__all__ = [
    "can_be_linear",
    "deeper",
    "linear",
    "normalised",
    "redrawn",
    "residual",
    "shallower",
    "wider",
    "with_dropout",
    "with_hidden",
    "with_linear_outputs",
    "without_dropout",
]

Layers: TypeAlias = tuple[Layer, ...]
Mixing = TypeVar("Mixing", Dense, Maxout)

_NORMS = (BatchNorm, LayerNorm, RMSNorm)
_RANDOM = (Dropout, AlphaDropout, GaussianNoise)
_WIDER = 4
_MOST_UNITS = 1024


def redrawn(layers: Layers) -> Layers:
    """Return the same layers with the starts that fastnn would choose."""
    return tuple(_each(layer, _fresh) for layer in layers)


def linear(layers: Layers, outputs: int) -> Layers:
    """Return a linear model, with the activation that the outputs end in, if any."""
    return (Dense(outputs), *_tail(_blocks(layers)[-1]))


def can_be_linear(layers: Layers, outputs: int) -> bool:
    """Whether no hidden layer is narrower than the outputs of a linear model."""
    *hidden, _ = _blocks(layers)
    inner = (layer for _, layer in named_layers(_joined(hidden)))
    return all(x.units >= outputs for x in inner if isinstance(x, (Dense, Maxout)))


def shallower(layers: Layers) -> Layers | None:
    """Return a quarter of the hidden blocks and the outputs; None if too few."""
    *hidden, last = _blocks(redrawn(layers))
    if len(hidden) < 2:
        return None
    return _joined([*hidden[: max(1, len(hidden) // 4)], last])


def deeper(layers: Layers) -> Layers | None:
    """Return the layers with the last hidden block twice."""
    *hidden, last = _blocks(redrawn(layers))
    return _joined([*hidden, hidden[-1], last]) if hidden else None


def wider(layers: Layers) -> Layers | None:
    """Return hidden layers of four times as many units, 32 at least."""
    *hidden, last = _blocks(redrawn(layers))
    if not hidden:
        return None

    def widened(layer: Mixing) -> Mixing:
        units = min(max(_WIDER * layer.units, 32), max(_MOST_UNITS, layer.units))
        return dataclasses.replace(layer, units=units)

    blocks = [tuple(_each(x, widened) for x in block) for block in hidden]
    return _joined([*blocks, last])


def normalised(layers: Layers) -> Layers | None:
    """Return the layers with BatchNorm before each hidden activation, after Maxout.

    As He et al. 2016 have it in residual blocks. None if all are normalised.
    """
    *hidden, last = _blocks(redrawn(layers))
    bare = [block for block in hidden if not _is_normalised(block)]
    if not bare:
        return None
    return _joined([*(_with_norm(b) if b in bare else b for b in hidden), last])


def residual(layers: Layers) -> Layers | None:
    """Return the layers with a skip around each hidden block but the first."""
    try:
        from fastnn.layers import Residual  # noqa: PLC0415
    except ImportError:
        return None
    *hidden, last = _blocks(redrawn(layers))
    if len(hidden) < 3 or any(isinstance(b[0], Residual) for b in hidden):
        return None
    skipped = [hidden[0], *((Residual(*block),) for block in hidden[1:])]
    return _joined([*skipped, last])


def with_hidden(layers: Layers) -> Layers | None:
    """Return a network without hidden layers with one; None if it has some."""
    if len(_blocks(layers)) > 1:
        return None
    return (Dense(64, "relu"), *redrawn(layers))


def with_linear_outputs(layers: Layers) -> Layers:
    """Return the layers without the activation that the outputs pass through."""
    *body, last = redrawn(layers)
    if isinstance(last, Dense):
        return (*body, dataclasses.replace(last, activation=None))
    return tuple(body)


def with_dropout(layers: Layers, p: float = 0.3) -> Layers | None:
    """Return the layers with dropout after each hidden block."""
    *hidden, last = _blocks(redrawn(without_dropout(layers)))
    if not hidden:
        return None
    return _joined([*((*block, Dropout(p)) for block in hidden), last])


def without_dropout(layers: Layers) -> Layers:
    """Return the layers, but those that are random in training."""
    return tuple(_certain(x) for x in layers if not isinstance(x, _RANDOM))


def _blocks(layers: Layers) -> list[Layers]:
    """Split before each layer that has weights of its own; the last gives outputs."""
    blocks: list[list[Layer]] = [[]]
    for layer in layers:
        if _has_weights(layer) and any(map(_has_weights, blocks[-1])):
            blocks.append([])
        blocks[-1].append(layer)
    return [tuple(block) for block in blocks]


def _mixes(layer: Layer) -> bool:
    return isinstance(layer, (Dense, Maxout))


def _has_weights(layer: Layer) -> bool:
    """Whether it mixes columns, or is a block of such."""
    return _mixes(layer) or isinstance(layer, Residual)


def _tail(block: Layers) -> Layers:
    """Return the activations after the outputs."""
    tail = [layer for layer in block if isinstance(layer, Activation)]
    last = block[0] if isinstance(block[0], Dense) else None
    if last is not None and isinstance(last.activation, Activation):
        tail.insert(0, last.activation)
    return tuple(tail)


def _joined(blocks: list[Layers]) -> Layers:
    return tuple(layer for block in blocks for layer in block)


def _is_normalised(block: Layers) -> bool:
    return any(isinstance(layer, _NORMS) for _, layer in named_layers(block))


def _with_norm(block: Layers) -> Layers:
    changed: list[Layer] = []
    for layer in block:
        if isinstance(layer, Dense):
            changed += [dataclasses.replace(layer, activation=None), BatchNorm()]
            if isinstance(layer.activation, Activation):
                changed.append(layer.activation)
        elif isinstance(layer, Maxout):
            changed += [layer, BatchNorm()]
        elif isinstance(layer, Residual):
            changed.append(layer.around(_with_norm(layer.layers)))
        else:
            changed.append(layer)
    return tuple(changed)


def _fresh(layer: Mixing) -> Mixing:
    chosen = isinstance(layer.init, str) and layer.init != "zeros"
    init = layer.init if chosen else "auto"
    return dataclasses.replace(layer, init=init, in_features=None)


def _certain(layer: Layer) -> Layer:
    if isinstance(layer, Dense) and layer.dropconnect:
        return dataclasses.replace(layer, dropconnect=0.0)
    if isinstance(layer, Residual):
        inner = without_dropout(layer.layers) or (Identity(),)
        return Residual(*inner, projection=layer.projection)
    return layer


def _each(layer: Layer, change: Callable[[Any], Any]) -> Layer:
    """Return the layer, or the block, with what mixes columns in it changed."""
    if isinstance(layer, Residual):
        return layer.around(_each(x, change) for x in layer.layers)
    changed: Layer = change(layer) if _mixes(layer) else layer
    return changed
