"""The layers of `MLP`: each keeps in `forward` what its `backward` needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.reference._checks import check_shape, unknown_name
from fastnn.reference._layer import Layer
from fastnn.reference._learned_layers import Maxout, PReLU, RMSNorm, WeightNorm
from fastnn.reference._random_layers import (
    AlphaDropout,
    DropConnect,
    Dropout,
    GaussianNoise,
)
from fastnn.reference.activations import resolve
from fastnn.reference.dense import dense_backward, dense_forward
from fastnn.reference.normalize import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
)
from fastnn.reference.random import survival_factors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastnn.reference._checks import Array


class Dense(Layer):
    """y = x w^T + b."""

    def __init__(self, index: int, w: Array, b: Array) -> None:
        super().__init__(index)
        check_shape("b", b, w.shape[:1], "one number a row of W")
        self.parameters = [w, b]

    def forward(self, x: Array, step: int) -> Array:
        del step
        self.x = x
        return self.predict(x)

    def backward(self, dy: Array) -> Array:
        w, dw, db = self.parameters[0], *self.gradients
        if self.index == 0:  # nobody asks for the gradient of the data
            np.matmul(dy.T, self.x, out=dw)
            np.sum(dy, axis=0, out=db)
            return dy
        dx, dw[...], db[...] = dense_backward(dy, self.x, w, dy)
        return dx

    def predict(self, x: Array) -> Array:
        w, b = self.parameters
        return dense_forward(x, w, b)


class BatchNorm(Layer):
    """Batch statistics in training, running ones (momentum 0.1) in prediction."""

    EPS, MOMENTUM = 1e-5, 0.1

    def __init__(self, index: int, gamma: Array, beta: Array) -> None:
        super().__init__(index)
        check_shape("beta", beta, gamma.shape, "the shape of gamma")
        self.parameters = [gamma, beta]
        self.statistics = [np.zeros_like(gamma), np.ones_like(gamma)]

    def forward(self, x: Array, step: int) -> Array:
        del step
        gamma, beta = self.parameters
        y, mean, inv_std = batchnorm_forward(x, gamma, beta, self.EPS)
        self.saved = x, mean, inv_std
        unbiased = len(x) / max(len(x) - 1, 1)
        var = (inv_std**-2.0 - self.EPS) * unbiased
        for running, now in zip(self.statistics, (mean, var), strict=True):
            np.add(running, self.MOMENTUM * (now - running), out=running)
        return y

    def backward(self, dy: Array) -> Array:
        x, mean, inv_std = self.saved
        dgamma, dbeta = self.gradients
        gamma = self.parameters[0]
        dx, dgamma[...], dbeta[...] = batchnorm_backward(dy, x, gamma, mean, inv_std)
        return dx

    def predict(self, x: Array) -> Array:
        (gamma, beta), (mean, var) = self.parameters, self.statistics
        return batchnorm_inference(x, gamma, beta, mean, var, self.EPS)


class Activation(Layer):
    """y = f(z), in place where the slope is a function of y."""

    def __init__(self, index: int, name: str, alpha: float | None = None) -> None:
        super().__init__(index)
        self.rule, self.alpha = resolve(name, alpha)
        self.in_place = index > 0 and self.rule.slope_of != "input"

    def forward(self, x: Array, step: int) -> Array:
        del step
        y = self.predict(x)
        self.source = x if self.rule.slope_of == "input" else y
        return y

    def backward(self, dy: Array) -> Array:
        slope = self.rule.slope(self.source, self.alpha)
        return np.multiply(dy, slope, out=slope)

    def predict(self, x: Array) -> Array:
        return self.rule.forward(x, self.alpha, x if self.in_place else None)


class Residual(Layer):
    """y = skip + factor F(x): the skip is x P^T if there is a projection P, else x."""

    def __init__(
        self,
        index: int,
        layers: list[Layer],
        p: Array | None,
        survival: float,
        seed: int,
    ) -> None:
        super().__init__(index)
        self.layers, self.survival, self.seed = layers, survival, seed
        self.parameters = [] if p is None else [p]

    def forward(self, x: Array, step: int) -> Array:
        factors = survival_factors(
            len(x), self.survival, self.seed, step, layer=self.index
        )
        self.x, self.factors = x, factors.astype(x.dtype)[:, None]
        h = x.copy()  # the first layer may work in place
        for layer in self.layers:
            h = layer.forward(h, step)
        y: Array = self._skip(x) + self.factors * h
        return y

    def backward(self, dy: Array) -> Array:
        d: Array = self.factors * dy
        for layer in reversed(self.layers):
            d = layer.backward(d)
        if not self.parameters:
            return d + dy
        np.matmul(dy.T, self.x, out=self.gradients[0])
        return d + dy @ self.parameters[0]

    def predict(self, x: Array) -> Array:
        h = x.copy()
        for layer in self.layers:
            h = layer.predict(h)
        y: Array = self._skip(x) + h
        return y

    def _skip(self, x: Array) -> Array:
        return x @ self.parameters[0].T if self.parameters else x


def all_layers(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield the layers, those within a block before the block itself."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from all_layers(layer.layers)
        yield layer


def make_layers(
    descriptions: Sequence[tuple[Any, ...]],
    seed: int,
    generator: np.random.Generator | None,
    first: int = 0,
) -> list[Layer]:
    """Return the layers that `MLP`'s list describes, counted as they are written.

    A block counts before the layers within it.
    """
    layers: list[Layer] = []
    index = first
    for kind, *arguments in descriptions:
        if kind == "residual":
            inner, projection, survival = arguments
            built = make_layers(inner, seed, generator, index + 1)
            layers.append(Residual(index, built, projection, survival, seed))
        else:
            layers.append(make_layer(index, (kind, *arguments), seed, generator))
        index += len(list(all_layers(layers[-1:])))
    return layers


def make_layer(
    index: int,
    description: tuple[Any, ...],
    seed: int,
    generator: np.random.Generator | None,
) -> Layer:
    """Return the layer that a tuple of `MLP`'s list describes."""
    kind, *arguments = description
    if kind == "dropout":
        arguments += [seed, generator]
    elif kind in ("alpha_dropout", "gaussian_noise", "dropconnect"):
        arguments.append(seed)
    kinds: dict[str, Callable[..., Layer]] = {
        "dense": Dense,
        "batchnorm": BatchNorm,
        "activation": Activation,
        "dropout": Dropout,
        "alpha_dropout": AlphaDropout,
        "gaussian_noise": GaussianNoise,
        "dropconnect": DropConnect,
        "weight_norm": WeightNorm,
        "maxout": Maxout,
        "rmsnorm": RMSNorm,
        "prelu": PReLU,
    }
    if kind not in kinds:
        raise unknown_name("layer", kind, kinds)
    return kinds[kind](index, *arguments)
