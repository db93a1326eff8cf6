"""What every layer description shares."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

from fastnn._config import Config, short_repr
from fastnn._native import core

__all__ = ["Activation", "Layer", "TensorSpec"]

TensorSpec: TypeAlias = tuple[str, tuple[int, ...]]
"""NumPy's name of a tensor's dtype, and its shape."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Layer(Config):
    """A description of one layer; the network that contains it owns the numbers."""

    def _check_ranges(self) -> None:
        core.check_layer(self.to_native())

    def width(self, in_features: int) -> int:
        """Return the number of outputs for a row of `in_features` inputs."""
        return in_features

    def inner(self) -> tuple[Layer, ...]:
        """Return the layers that a block is made of; of any other layer, none."""
        return ()

    def tensors(self, in_features: int, dtype: str) -> dict[str, TensorSpec]:
        """Return dtype and shape of what a network keeps for it, by torch's names."""
        del in_features, dtype
        return {}

    def undrawn(self) -> dict[str, Any]:
        """Return the dict C++ reads for a network whose numbers are at hand."""
        return self.to_native()

    def __repr__(self) -> str:
        """Show the class and the fields that differ from their defaults."""
        return short_repr(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Activation(Layer):
    """A layer without parameters that maps each element by itself: y = f(x)."""
