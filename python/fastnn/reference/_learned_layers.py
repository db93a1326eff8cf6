"""The layers with parameters other than those of `Dense` and BatchNorm, for `MLP`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastnn.reference._layer import Layer
from fastnn.reference.dense import dense_backward, dense_forward
from fastnn.reference.maxout import maxout_backward, maxout_forward
from fastnn.reference.normalize import rmsnorm_backward, rmsnorm_forward
from fastnn.reference.prelu import prelu_backward, prelu_forward
from fastnn.reference.weight_norm import weight_norm_backward, weight_norm_forward

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


class PReLU(Layer):
    """y = x where x > 0, a x elsewhere."""

    def __init__(self, index: int, a: Array) -> None:
        super().__init__(index)
        self.parameters = [a]

    def forward(self, x: Array, step: int) -> Array:
        del step
        self.x = x
        return self.predict(x)

    def backward(self, dy: Array) -> Array:
        dx, self.gradients[0][...] = prelu_backward(dy, self.x, self.parameters[0])
        return dx

    def predict(self, x: Array) -> Array:
        return prelu_forward(x, self.parameters[0])


class RMSNorm(Layer):
    """y = gamma x / sqrt(mean(x^2) + eps), eps that of the dtype."""

    def __init__(self, index: int, gamma: Array) -> None:
        super().__init__(index)
        self.parameters = [gamma]

    def forward(self, x: Array, step: int) -> Array:
        del step
        y, inv_rms = rmsnorm_forward(x, self.parameters[0])
        self.saved = x, inv_rms
        return y

    def backward(self, dy: Array) -> Array:
        x, inv_rms = self.saved
        gamma = self.parameters[0]
        dx, self.gradients[0][...] = rmsnorm_backward(dy, x, gamma, inv_rms)
        return dx

    def predict(self, x: Array) -> Array:
        return rmsnorm_forward(x, self.parameters[0])[0]


class Maxout(Layer):
    """y_j = max_k (x . w_kj + b_kj)."""

    def __init__(self, index: int, w: Array, b: Array, pieces: int) -> None:
        super().__init__(index)
        self.parameters, self.pieces = [w, b], pieces

    def forward(self, x: Array, step: int) -> Array:
        del step
        w, b = self.parameters
        y, winner = maxout_forward(x, w, b, self.pieces)
        self.saved = x, winner
        return y

    def backward(self, dy: Array) -> Array:
        x, winner = self.saved
        dw, db = self.gradients
        w = self.parameters[0]
        dx, dw[...], db[...] = maxout_backward(dy, x, w, winner, self.pieces)
        return dx

    def predict(self, x: Array) -> Array:
        w, b = self.parameters
        return maxout_forward(x, w, b, self.pieces)[0]


class WeightNorm(Layer):
    """y = x w^T + b with w_i = g_i v_i / |v_i|."""

    def __init__(self, index: int, g: Array, v: Array, b: Array) -> None:
        super().__init__(index)
        self.parameters = [g, v, b]

    def forward(self, x: Array, step: int) -> Array:
        del step
        self.x = x
        return self.predict(x)

    def backward(self, dy: Array) -> Array:
        g, v, _ = self.parameters
        dg, dv, db = self.gradients
        dx, dw, db[...] = dense_backward(dy, self.x, weight_norm_forward(g, v), dy)
        dg[...], dv[...] = weight_norm_backward(dw, g, v)
        return dx

    def predict(self, x: Array) -> Array:
        g, v, b = self.parameters
        return dense_forward(x, weight_norm_forward(g, v), b)
