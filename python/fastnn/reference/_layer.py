"""What every layer of the specification's `MLP` is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastnn.reference._checks import Array


class Layer:
    """A map from rows to rows: parameters, their gradients, running statistics."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []
        self.statistics: list[Array] = []

    def forward(self, x: Array, step: int) -> Array:
        """Return y for a training step, and remember."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """Write the parameters' gradients and return dx."""
        raise NotImplementedError

    def predict(self, x: Array) -> Array:
        """Return y with nothing random and nothing learned."""
        raise NotImplementedError
