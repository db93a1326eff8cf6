"""Each layer as ONNX operators, in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.layers import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    GaussianNoise,
    Layer,
    LayerNorm,
    Maxout,
    PReLU,
    Residual,
    RMSNorm,
)
from fastnn.onnx.activations import add_activation
from fastnn.onnx.graph import Graph

__all__ = ["LAYERS", "Tensors", "add_layer"]

Tensors = Mapping[str, npt.NDArray[Any]]
"""The tensors of a network by their names in ``state_dict()``."""


def add_layer(
    g: Graph, x: str, position: int | str, layer: Layer, tensors: Tensors
) -> str:
    """Append the layer at this position and return the name of its result.

    Of a layer within a block the position is such as "1.0".
    """
    g.scope = f"{position}."
    if isinstance(layer, Activation):
        return add_activation(g, x, layer)
    if type(layer) not in LAYERS:
        raise NotImplementedError(
            f"to_onnx: layer {position} is {layer!r}, which has no form in ONNX yet; "
            f"there are {', '.join(sorted(cls.__name__ for cls in LAYERS))} and the "
            "activations"
        )
    return LAYERS[type(layer)](g, x, layer, tensors)


def _tensor(g: Graph, name: str, tensors: Tensors) -> str:
    full_name = f"{g.scope}{name}"
    return g.constant(full_name, tensors[full_name])


def _dense(g: Graph, x: str, layer: Dense, tensors: Tensors) -> str:
    weight = layer.weight(tensors, g.scope[:-1])
    operands = [g.constant(f"{g.scope}weight", weight)]
    if layer.use_bias:
        operands.append(_tensor(g, "bias", tensors))
    y = g.node("Gemm", x, *operands, transB=1)
    if isinstance(layer.activation, Activation):
        return add_activation(g, y, layer.activation)
    return y


def _batchnorm(g: Graph, x: str, layer: BatchNorm, tensors: Tensors) -> str:
    # The mean is taken off by a node of its own: onnxruntime folds it into a shift,
    # which cancels badly where the mean is large beside the deviation.
    centred = g.node("Sub", x, _tensor(g, "running_mean", tensors))
    # The attribute is a float32 number: what it loses of eps goes to the variance.
    eps = float(np.float32(layer.eps))
    variance = tensors[f"{g.scope}running_var"] + g.dtype.type(layer.eps - eps)
    return g.node(
        "BatchNormalization",
        centred,
        _tensor(g, "weight", tensors),
        _tensor(g, "bias", tensors),
        g.constant(f"{g.scope}zero_mean", np.zeros_like(variance)),
        g.constant(f"{g.scope}running_var", variance),
        epsilon=eps,
    )


def _layernorm(g: Graph, x: str, layer: LayerNorm, tensors: Tensors) -> str:
    weight, bias = (_tensor(g, name, tensors) for name in ("weight", "bias"))
    if g.single:
        return g.node("LayerNormalization", x, weight, bias, epsilon=layer.eps)
    centred = g.node("Sub", x, _row_mean(g, x))
    variance = _row_mean(g, g.node("Mul", centred, centred))
    deviation = g.node("Sqrt", g.node("Add", variance, layer.eps))
    unit = g.node("Div", centred, deviation)
    return g.node("Add", g.node("Mul", unit, weight), bias)


def _rmsnorm(g: Graph, x: str, layer: RMSNorm, tensors: Tensors) -> str:
    eps = float(np.finfo(g.dtype).eps) if layer.eps is None else layer.eps
    square = g.node("Add", _row_mean(g, g.node("Mul", x, x)), eps)
    unit = g.node("Div", x, g.node("Sqrt", square))
    return g.node("Mul", unit, _tensor(g, "weight", tensors))


def _prelu(g: Graph, x: str, layer: PReLU, tensors: Tensors) -> str:
    del layer
    slope = _tensor(g, "weight", tensors)
    if g.single:
        return g.node("PRelu", x, slope)
    leak = g.node("Mul", g.node("Min", x, 0.0), slope)
    return g.node("Add", g.node("Max", x, 0.0), leak)


def _maxout(g: Graph, x: str, layer: Maxout, tensors: Tensors) -> str:
    names = (_tensor(g, name, tensors) for name in ("weight", "bias"))
    z = g.node("Gemm", x, *names, transB=1)
    shape = np.array([-1, layer.pieces, layer.units], np.int64)
    pieces = g.node("Reshape", z, g.constant(f"{g.scope}pieces", shape))
    return g.node("ReduceMax", pieces, g.axes(1), keepdims=0)


def _row_mean(g: Graph, x: str) -> str:
    return g.node("ReduceMean", x, g.axes(1), keepdims=1)


def _nothing(g: Graph, x: str, layer: Layer, tensors: Tensors) -> str:
    del g, layer, tensors
    return x


def _residual(g: Graph, x: str, layer: Residual, tensors: Tensors) -> str:
    block, branch = g.scope, x
    for j, inner in enumerate(layer.layers):
        branch = add_layer(g, branch, f"{block}{j}", inner, tensors)
    g.scope = block
    skip = x
    if f"{block}projection.weight" in tensors:
        skip = g.node("Gemm", x, _tensor(g, "projection.weight", tensors), transB=1)
    return g.node("Add", skip, branch)


LAYERS: dict[type[Layer], Callable[[Graph, str, Any, Tensors], str]] = {
    Dense: _dense,
    BatchNorm: _batchnorm,
    LayerNorm: _layernorm,
    RMSNorm: _rmsnorm,
    PReLU: _prelu,
    Maxout: _maxout,
    Dropout: _nothing,
    AlphaDropout: _nothing,
    GaussianNoise: _nothing,
    Residual: _residual,
}
"""How each layer that is no activation is said in ONNX."""
