"""Networks like the user's with one thing changed: what a probe trains beside it.

All are drawn anew: weights that fit other shapes do not exist.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from fastnn.layers import BatchNorm, Dense, Dropout, Layer, LayerNorm
from fastnn.layers.base import Activation

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

Layers = tuple[Layer, ...]

_WIDER = 4
_MOST_UNITS = 1024


def redrawn(layers: Layers) -> Layers:
    """Return the same layers with the starts that fastnn would choose."""
    return tuple(_each_dense(layer, _fresh) for layer in layers)


def linear(layers: Layers, outputs: int) -> Layers:
    """Return a linear model, with the activation that the outputs end in, if any."""
    return (Dense(outputs), *_tail(_blocks(layers)[-1]))


def can_be_linear(layers: Layers, outputs: int) -> bool:
    """Whether no hidden layer is narrower than the outputs of a linear model."""
    *hidden, _ = _blocks(layers)
    units = [x.units for block in hidden for x in block if isinstance(x, Dense)]
    return all(width >= outputs for width in units)


def shallower(layers: Layers) -> Layers | None:
    """Return the first half of the hidden blocks and the outputs; None if too few."""
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

    def widened(dense: Dense) -> Dense:
        units = min(max(_WIDER * dense.units, 32), max(_MOST_UNITS, dense.units))
        return dataclasses.replace(dense, units=units)

    blocks = [tuple(_each_dense(x, widened) for x in block) for block in hidden]
    return _joined([*blocks, last])


def normalised(layers: Layers) -> Layers | None:
    """Return the layers with BatchNorm before each hidden activation."""
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
    """Return the layers that are no dropout."""
    return tuple(layer for layer in layers if not isinstance(layer, Dropout))


def _blocks(layers: Layers) -> list[Layers]:
    """Split before each layer that has weights of its own; the last gives outputs."""
    blocks: list[list[Layer]] = [[]]
    for layer in layers:
        if _has_weights(layer) and any(map(_has_weights, blocks[-1])):
            blocks.append([])
        blocks[-1].append(layer)
    return [tuple(block) for block in blocks]


def _has_weights(layer: Layer) -> bool:
    """Whether it mixes columns: dense layers and blocks of them."""
    return (
        isinstance(layer, Dense) or hasattr(layer, "layers") or hasattr(layer, "pieces")
    )


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
    return any(isinstance(layer, (BatchNorm, LayerNorm)) for layer in block) or hasattr(
        block[0], "layers"
    )


def _with_norm(block: Layers) -> Layers:
    changed: list[Layer] = []
    for layer in block:
        if isinstance(layer, Dense):
            changed += [dataclasses.replace(layer, activation=None), BatchNorm()]
            if isinstance(layer.activation, Activation):
                changed.append(layer.activation)
        else:
            changed.append(layer)
    return tuple(changed)


def _fresh(dense: Dense) -> Dense:
    if dense.given or dense.init == "zeros":
        return dataclasses.replace(dense, init="auto", in_features=None)
    return dataclasses.replace(dense, in_features=None)


def _each_dense(layer: Layer, change: Callable[[Dense], Dense]) -> Layer:
    """Return the layer with its dense layers changed, also inside a block."""
    if isinstance(layer, Dense):
        return change(layer)
    if hasattr(layer, "layers"):
        inner = tuple(_each_dense(x, change) for x in layer.layers)
        return type(layer)(*inner)
    return layer
