"""The formula y = f(z) and the slope f'(z) of every activation, one pair each.

The slope is a function of the output y where y decides it, so that a network keeps one
array a layer, and of the input z for the five that are not monotone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from fastnn.reference._erf import erf

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastnn.reference._checks import Array

# Klambauer et al., "Self-normalizing neural networks" (2017): the fixed point of
# mean 0 and variance 1 under selu.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def _indicator(condition: npt.NDArray[np.bool_], like: Array) -> Array:
    """Return 1 where the condition holds and 0 elsewhere, in the dtype of `like`."""
    result: Array = condition.astype(like.dtype)
    return result


def _identity(z: Array, _: float, out: Array | None) -> Array:
    return np.positive(z, out=out)


def _identity_slope(y: Array, _: float) -> Array:
    return np.ones_like(y)


def _relu(z: Array, _: float, out: Array | None) -> Array:
    return np.maximum(z, 0.0, out=out)


def _relu_slope(y: Array, _: float) -> Array:
    return _indicator(y > 0.0, y)


def _leaky_relu(z: Array, a: float, out: Array | None) -> Array:
    return np.add(np.maximum(z, 0.0), a * np.minimum(z, 0.0), out=out)


def _leaky_relu_slope(y: Array, a: float) -> Array:
    slope: Array = np.where(y > 0.0, y.dtype.type(1.0), y.dtype.type(a))
    return slope


def _elu(z: Array, a: float, out: Array | None) -> Array:
    return np.add(np.maximum(z, 0.0), a * np.expm1(np.minimum(z, 0.0)), out=out)


def _elu_slope(y: Array, a: float) -> Array:
    return np.where(y > 0.0, y.dtype.type(1.0), y + a)  # y + a = a exp(z)


def _selu(z: Array, _: float, out: Array | None) -> Array:
    return np.multiply(_elu(z, SELU_ALPHA, out), SELU_SCALE, out=out)


def _selu_slope(y: Array, _: float) -> Array:
    scale = y.dtype.type(SELU_SCALE)
    return np.where(y > 0.0, scale, y + SELU_SCALE * SELU_ALPHA)


def _celu(z: Array, a: float, out: Array | None) -> Array:
    return np.add(np.maximum(z, 0.0), a * np.expm1(np.minimum(z, 0.0) / a), out=out)


def _celu_slope(y: Array, a: float) -> Array:
    return np.where(y > 0.0, y.dtype.type(1.0), y / a + 1.0)  # = exp(z / a)


def sigmoid(z: Array, _: float = 0.0, out: Array | None = None) -> Array:
    e = np.exp(-np.abs(z))  # in (0, 1]: nothing overflows on either side
    return np.divide(np.where(z >= 0.0, z.dtype.type(1.0), e), 1.0 + e, out=out)


def _sigmoid_slope(y: Array, _: float) -> Array:
    return y * (1.0 - y)


def _tanh(z: Array, _: float, out: Array | None) -> Array:
    return np.tanh(z, out=out)


def _tanh_slope(y: Array, _: float) -> Array:
    return 1.0 - y * y


def softplus(z: Array, _: float = 0.0, out: Array | None = None) -> Array:
    return np.add(np.maximum(z, 0.0), np.log1p(np.exp(-np.abs(z))), out=out)


def _softplus_slope(y: Array, _: float) -> Array:
    return -np.expm1(-y)  # sigmoid(z) = 1 - exp(-y)


def _softsign(z: Array, _: float, out: Array | None) -> Array:
    return np.divide(z, 1.0 + np.abs(z), out=out)


def _softsign_slope(y: Array, _: float) -> Array:
    return np.square(1.0 - np.abs(y))  # 1 - |y| = 1 / (1 + |z|)


def _relu6(z: Array) -> Array:
    return np.minimum(np.maximum(z, 0.0), 6.0)


def _hard_sigmoid(z: Array, _: float, out: Array | None) -> Array:
    return np.divide(_relu6(z + 3.0), 6.0, out=out)


def _hard_sigmoid_slope(y: Array, _: float) -> Array:
    return _indicator((y > 0.0) & (y < 1.0), y) / 6.0


def _hard_tanh(z: Array, _: float, out: Array | None) -> Array:
    return np.minimum(np.maximum(z, -1.0), 1.0, out=out)


def _hard_tanh_slope(y: Array, _: float) -> Array:
    return _indicator((y > -1.0) & (y < 1.0), y)


def _normal_cdf(z: Array) -> Array:
    return 0.5 * (1.0 + erf(z * sqrt(0.5)))


def _gelu(z: Array, _: float, out: Array | None) -> Array:
    return np.multiply(z, _normal_cdf(z), out=out)


def _gelu_slope(z: Array, _: float) -> Array:
    bounded = np.clip(z, -40.0, 40.0)  # exp(-800) is 0: the square cannot overflow
    density = np.exp(-0.5 * bounded * bounded) / sqrt(2.0 * pi)
    return _normal_cdf(z) + bounded * density


def _gelu_tanh_gate(z: Array) -> tuple[Array, Array]:
    """Return tanh(u) and z bounded, u = sqrt(2/pi) (z + 0.044715 z^3)."""
    bounded = np.clip(z, -10.0, 10.0)  # tanh(u) is +-1 outside, the cube is finite
    u = sqrt(2.0 / pi) * bounded * (1.0 + 0.044715 * bounded * bounded)
    return np.tanh(u), bounded


def _gelu_tanh(z: Array, _: float, out: Array | None) -> Array:
    tanh, _bounded = _gelu_tanh_gate(z)
    gate: Array = 0.5 * (1.0 + tanh)
    return np.multiply(z, gate, out=out)


def _gelu_tanh_slope(z: Array, _: float) -> Array:
    tanh, z = _gelu_tanh_gate(z)
    du = sqrt(2.0 / pi) * (1.0 + 3.0 * 0.044715 * z * z)
    return 0.5 * (1.0 + tanh) + 0.5 * z * (1.0 - tanh * tanh) * du


def _silu(z: Array, _: float, out: Array | None) -> Array:
    return np.multiply(z, sigmoid(z), out=out)


def _silu_slope(z: Array, _: float) -> Array:
    s = sigmoid(z)
    return s * (1.0 + z * (1.0 - s))


def _mish(z: Array, _: float, out: Array | None) -> Array:
    return np.multiply(z, np.tanh(softplus(z)), out=out)


def _mish_slope(z: Array, _: float) -> Array:
    t = np.tanh(softplus(z))
    return t + z * (1.0 - t * t) * sigmoid(z)


def _hard_swish(z: Array, _: float, out: Array | None) -> Array:
    gate: Array = _relu6(z + 3.0) / 6.0
    return np.multiply(z, gate, out=out)


def _hard_swish_slope(z: Array, _: float) -> Array:
    one, zero = z.dtype.type(1.0), z.dtype.type(0.0)
    return np.where(z <= -3.0, zero, np.where(z < 3.0, z / 3.0 + 0.5, one))


@dataclass(frozen=True)
class Activation:
    """A formula, its slope, what the slope takes, and the one parameter."""

    forward: Callable[[Array, float, Array | None], Array]
    slope: Callable[[Array, float], Array]
    slope_of: Literal["output", "input", "either"]
    parameter: str = ""
    default: float = 0.0
    minimum: float = 0.0


# "either": the slope is a step that y and z decide alike, so no forward pass is needed.
ACTIVATIONS = {
    "identity": Activation(_identity, _identity_slope, "either"),
    "relu": Activation(_relu, _relu_slope, "either"),
    "leaky_relu": Activation(
        _leaky_relu, _leaky_relu_slope, "either", "negative_slope", 0.01
    ),
    "elu": Activation(_elu, _elu_slope, "output", "alpha", 1.0),
    "selu": Activation(_selu, _selu_slope, "output"),
    "celu": Activation(
        _celu, _celu_slope, "output", "alpha", 1.0, minimum=np.finfo(np.float32).tiny
    ),
    "gelu": Activation(_gelu, _gelu_slope, "input"),
    "gelu_tanh": Activation(_gelu_tanh, _gelu_tanh_slope, "input"),
    "silu": Activation(_silu, _silu_slope, "input"),
    "mish": Activation(_mish, _mish_slope, "input"),
    "sigmoid": Activation(sigmoid, _sigmoid_slope, "output"),
    "tanh": Activation(_tanh, _tanh_slope, "output"),
    "softplus": Activation(softplus, _softplus_slope, "output"),
    "softsign": Activation(_softsign, _softsign_slope, "output"),
    "hard_sigmoid": Activation(_hard_sigmoid, _hard_sigmoid_slope, "output"),
    "hard_swish": Activation(_hard_swish, _hard_swish_slope, "input"),
    "hard_tanh": Activation(_hard_tanh, _hard_tanh_slope, "either"),
}
