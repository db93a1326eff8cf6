"""The layers that are random in training, for `MLP`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastnn.reference._checks import check_range
from fastnn.reference._layer import Layer
from fastnn.reference.dense import dense_backward, dense_forward
from fastnn.reference.random import (
    alpha_dropout_backward,
    alpha_dropout_forward,
    dropconnect_forward,
    dropout_backward,
    dropout_forward,
    gaussian_noise,
)

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


class Dropout(Layer):
    """Zero with probability p, scale by 1 / (1 - p); nothing in prediction."""

    def __init__(
        self, index: int, p: float, seed: int, generator: np.random.Generator | None
    ) -> None:
        super().__init__(index)
        check_range("p", p, 0.0 <= p < 1.0, "in [0, 1)")
        self.p, self.seed, self.generator = p, seed, generator

    def forward(self, x: Array, step: int) -> Array:
        if self.generator is not None:
            self.mask = self.generator.random(x.shape, dtype=np.float32) >= self.p
            return dropout_backward(x, self.mask, self.p)  # the same map
        y, self.mask = dropout_forward(x, self.p, self.seed, step, layer=self.index)
        return y

    def backward(self, dy: Array) -> Array:
        return dropout_backward(dy, self.mask, self.p)

    def predict(self, x: Array) -> Array:
        return x


class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1; nothing in prediction."""

    def __init__(self, index: int, p: float, seed: int) -> None:
        super().__init__(index)
        self.p, self.seed = p, seed

    def forward(self, x: Array, step: int) -> Array:
        y, self.mask = alpha_dropout_forward(
            x, self.p, self.seed, step, layer=self.index
        )
        return y

    def backward(self, dy: Array) -> Array:
        return alpha_dropout_backward(dy, self.mask, self.p)

    def predict(self, x: Array) -> Array:
        return x


class GaussianNoise(Layer):
    """y = x + std n in training."""

    def __init__(self, index: int, std: float, seed: int) -> None:
        super().__init__(index)
        self.std, self.seed = std, seed

    def forward(self, x: Array, step: int) -> Array:
        return gaussian_noise(x, self.std, self.seed, step, layer=self.index)

    def backward(self, dy: Array) -> Array:
        return dy

    def predict(self, x: Array) -> Array:
        return x


class DropConnect(Layer):
    """y = x masked(w)^T + b in training, x w^T + b in prediction."""

    def __init__(self, index: int, w: Array, b: Array, p: float, seed: int) -> None:
        super().__init__(index)
        self.parameters = [w, b]
        self.p, self.seed = p, seed

    def forward(self, x: Array, step: int) -> Array:
        w, b = self.parameters
        masked, mask = dropconnect_forward(w, self.p, self.seed, step, layer=self.index)
        self.saved = x, masked, mask
        return dense_forward(x, masked, b)

    def backward(self, dy: Array) -> Array:
        x, masked, mask = self.saved
        dw, db = self.gradients
        dx, dmasked, db[...] = dense_backward(dy, x, masked, dy)
        dw[...] = dropout_backward(dmasked, mask, self.p)
        return dx

    def predict(self, x: Array) -> Array:
        w, b = self.parameters
        return dense_forward(x, w, b)
