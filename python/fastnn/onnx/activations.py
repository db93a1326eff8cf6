"""Each activation as ONNX operators.

In float32 there is one operator for most of them. In float64 that operator would take
its settings as float32 numbers, or has no kernel in onnxruntime: there the formula is
spelled out. Both forms are exact to rounding in their type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fastnn.layers import (
    CELU,
    ELU,
    GELU,
    SELU,
    Activation,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from fastnn.onnx.graph import Graph

__all__ = ["ACTIVATIONS", "add_activation"]

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


def add_activation(g: Graph, x: str, activation: Activation) -> str:
    """Append an activation of `x` and return the name of the result."""
    return ACTIVATIONS[type(activation)](g, x, activation)


def _positive(g: Graph, x: str) -> str:
    return g.node("Max", x, 0.0)


def _exponential_branch(g: Graph, x: str, alpha: float, width: float = 1.0) -> str:
    """Append ``alpha * (exp(min(x, 0) / width) - 1)``."""
    negative = g.node("Min", x, 0.0)
    scaled = negative if width == 1.0 else g.node("Div", negative, width)
    return g.node("Mul", g.node("Sub", g.node("Exp", scaled), 1.0), alpha)


def _relu(g: Graph, x: str, _: Any) -> str:
    return g.node("Relu", x)


def _leaky_relu(g: Graph, x: str, layer: LeakyReLU) -> str:
    if g.single:
        return g.node("LeakyRelu", x, alpha=layer.negative_slope)
    leak = g.node("Mul", g.node("Min", x, 0.0), layer.negative_slope)
    return g.node("Add", _positive(g, x), leak)


def _elu(g: Graph, x: str, layer: ELU) -> str:
    if g.single:
        return g.node("Elu", x, alpha=layer.alpha)
    return g.node("Add", _positive(g, x), _exponential_branch(g, x, layer.alpha))


def _selu(g: Graph, x: str, _: Any) -> str:
    if g.single:
        return g.node("Selu", x, alpha=_SELU_ALPHA, gamma=_SELU_SCALE)
    unscaled = g.node("Add", _positive(g, x), _exponential_branch(g, x, _SELU_ALPHA))
    return g.node("Mul", unscaled, _SELU_SCALE)


def _celu(g: Graph, x: str, layer: CELU) -> str:
    if g.single:
        return g.node("Celu", x, alpha=layer.alpha)
    negative = _exponential_branch(g, x, layer.alpha, width=layer.alpha)
    return g.node("Add", _positive(g, x), negative)


def _gelu(g: Graph, x: str, layer: GELU) -> str:
    if g.single:
        return g.node("Gelu", x, approximate=layer.approximate)
    if layer.approximate == "none":
        sign = g.node("Erf", g.node("Mul", x, math.sqrt(0.5)))
    else:
        cube = g.node("Mul", g.node("Mul", g.node("Mul", x, x), x), 0.044715)
        inner = g.node("Mul", g.node("Add", x, cube), math.sqrt(2.0 / math.pi))
        sign = g.node("Tanh", inner)
    return g.node("Mul", x, g.node("Mul", g.node("Add", sign, 1.0), 0.5))


def _silu(g: Graph, x: str, _: Any) -> str:
    return g.node("Mul", x, g.node("Sigmoid", x))


def _mish(g: Graph, x: str, _: Any) -> str:
    if g.single:
        return g.node("Mish", x)
    return g.node("Mul", x, g.node("Tanh", _softplus(g, x, None)))


def _sigmoid(g: Graph, x: str, _: Any) -> str:
    return g.node("Sigmoid", x)


def _tanh(g: Graph, x: str, _: Any) -> str:
    return g.node("Tanh", x)


def _softplus(g: Graph, x: str, _: Any) -> str:
    if g.single:
        return g.node("Softplus", x)
    tail = g.node("Exp", g.node("Neg", g.node("Abs", x)))
    return g.node("Add", _positive(g, x), g.node("Log", g.node("Add", tail, 1.0)))


def _softsign(g: Graph, x: str, _: Any) -> str:
    if g.single:
        return g.node("Softsign", x)
    return g.node("Div", x, g.node("Add", g.node("Abs", x), 1.0))


def _hard_sigmoid(g: Graph, x: str, _: Any) -> str:
    if g.single:
        return g.node("HardSigmoid", x, alpha=1.0 / 6.0, beta=0.5)
    return g.node("Div", g.node("Clip", g.node("Add", x, 3.0), 0.0, 6.0), 6.0)


def _hard_swish(g: Graph, x: str, _: Any) -> str:
    if g.single:
        return g.node("HardSwish", x)
    return g.node("Mul", x, _hard_sigmoid(g, x, None))


def _hard_tanh(g: Graph, x: str, _: Any) -> str:
    return g.node("Clip", x, -1.0, 1.0)


def _identity(g: Graph, x: str, _: Any) -> str:
    del g
    return x


ACTIVATIONS: dict[type[Activation], Callable[[Graph, str, Any], str]] = {
    ReLU: _relu,
    LeakyReLU: _leaky_relu,
    ELU: _elu,
    SELU: _selu,
    CELU: _celu,
    GELU: _gelu,
    SiLU: _silu,
    Mish: _mish,
    Sigmoid: _sigmoid,
    Tanh: _tanh,
    Softplus: _softplus,
    Softsign: _softsign,
    HardSigmoid: _hard_sigmoid,
    HardSwish: _hard_swish,
    HardTanh: _hard_tanh,
    Identity: _identity,
}
"""How each activation is said in ONNX."""
