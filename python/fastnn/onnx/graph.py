"""An ONNX graph while it grows: nodes in order, constants by name."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Graph", "onnx_package"]


def onnx_package() -> Any:
    """Return the package onnx, or say how to get it."""
    try:
        return importlib.import_module("onnx")
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ImportError(
            "to_onnx needs the package onnx: pip install 'fastnn[onnx]'"
        ) from error


class Graph:
    """Nodes and constants of a graph in one floating-point type.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        The type of all numbers.

    Attributes
    ----------
    single : bool
        Whether that is float32. Attributes of ONNX operators are float32 numbers, and
        onnxruntime has many operators in float32 alone: a float64 graph is made of
        elementary operators and float64 constants instead.
    scope : str
        What the names of new nodes begin with: the position of the layer.
    """

    def __init__(self, dtype: str) -> None:
        self.onnx = onnx_package()
        self.dtype = np.dtype(dtype)
        self.single = dtype == "float32"
        self.scope = ""
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._names: set[str] = set()

    def node(self, operator: str, *inputs: str | float, **attributes: Any) -> str:
        """Append one operator and return the name of its result.

        A number among the inputs becomes a constant of the graph's type.
        """
        names = [x if isinstance(x, str) else self.number(x) for x in inputs]
        name = self._unused(f"{self.scope}{operator}")
        self.nodes.append(
            self.onnx.helper.make_node(operator, names, [name], name=name, **attributes)
        )
        return name

    def constant(self, name: str, array: npt.NDArray[Any]) -> str:
        """Add an array under this name, which is returned."""
        array = np.ascontiguousarray(array).reshape(array.shape)
        self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def number(self, value: float) -> str:
        """Return the name of a scalar constant, which nodes share."""
        name = repr(float(value))
        if name not in self.constants:
            self.constant(name, np.array(value, self.dtype))
        return name

    def axes(self, *axes: int) -> str:
        """Return the name of a constant that lists axes."""
        name = f"axes {' '.join(map(str, axes))}"
        return self.constant(name, np.array(axes, np.int64))

    def output(self, tensor: str, name: str) -> str:
        """Let the newest node's result, or a copy of `tensor`, have this name."""
        if not self.nodes or self.nodes[-1].output[0] != tensor:
            tensor = self.node("Identity", tensor)
        self.nodes[-1].output[0] = name
        return name

    def _unused(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self._names:
            count += 1
            name = f"{wanted}_{count}"
        self._names.add(name)
        return name
