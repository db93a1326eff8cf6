"""The loss of a data set as a function of all parameters, in float64."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastnn._native import core
from fastnn._validation import (
    Array,
    Data,
    as_data,
    check_number,
    check_threads,
)
from fastnn._validation.features import some_rows
from fastnn.layers import Dense
from fastnn.sequential import Sequential

__all__ = ["MOST_FOR_FULL", "Objective"]

MOST_FOR_FULL = 2000
"""Parameters up to which the whole Hessian is made: 32 MB, some seconds of `eigh`."""

_CHUNK = 2**23
"""Activations in memory at once while a gradient is summed."""


class Objective:
    """Mean loss plus penalties of a twin of the network, taken when this is made.

    Later training of the network does not reach the twin.
    """

    def __init__(
        self,
        what: str,
        net: object,
        X: object,
        y: object,
        *,
        loss: Any,
        sample_weight: object,
        l1: object,
        l2: object,
        n_threads: object,
    ) -> None:
        if not isinstance(net, Sequential):
            raise TypeError(
                f"net must be a Sequential, got {type(net).__name__}: give the network "
                "itself"
            )
        net._require(what)  # noqa: SLF001
        used = net._loss_or_last(loss)  # noqa: SLF001
        self._l1 = check_number("l1", l1, at_least=0.0)
        self._l2 = check_number("l2", l2, at_least=0.0)
        self._n_threads = check_threads(n_threads)
        self._twin = _float64_twin(net)
        self._data = as_data(
            ("X", "y", "sample_weight"),
            (X, y, sample_weight),
            used,
            "float64",
            net.in_features,
            net.out_features,
        )
        self._loss = used.to_native()
        self.point: Array = self._twin.parameters.copy()

    @property
    def n_parameters(self) -> int:
        """How many parameters there are."""
        return self.point.size

    def product(
        self, v: Array, curvature: Literal["hessian", "gauss_newton"] = "hessian"
    ) -> Array:
        """Return the Hessian (or its Gauss-Newton part) at `point` times v."""
        data = self._data
        product: Array = core.curvature_product(
            self._twin._native,  # noqa: SLF001
            data.X,
            data.y,
            data.weight,
            self._loss,
            np.ascontiguousarray(v, dtype=np.float64),
            curvature,
            self._l2,
            self._n_threads,
        )
        if not np.isfinite(product).all():
            raise ValueError(
                "the product with v is not finite: the network's outputs, the loss or "
                "their slopes overflow on X; scale X or v down, or take weights from "
                "before training diverged"
            )
        return product

    def hessian(self) -> Array:
        """Return the whole Hessian, made column by column."""
        n = self.n_parameters
        columns = np.empty((n, n))
        unit = np.zeros(n)
        for i in range(n):
            unit[i] = 1.0
            columns[i] = self.product(unit)
            unit[i] = 0.0
        return np.asarray((columns + columns.T) / 2)

    def loss_and_gradient(self, point: Array | None = None) -> tuple[float, Array]:
        """Return both at `point`, or where the network was."""
        twin = self._twin
        twin.parameters[:] = self.point if point is None else point
        try:
            return self._summed()
        finally:
            twin.parameters[:] = self.point

    def loss(self, point: Array) -> float:
        """Return the loss at `point`."""
        return self.loss_and_gradient(point)[0]

    def loss_of_constant(self, output: float) -> float:
        """Return the loss of outputs that are all the same."""
        twin, data = self._twin._native, self._data  # noqa: SLF001
        layers = [Dense(twin.out_features, init="zeros").to_native()]
        constant = core.Network("float64", layers, twin.in_features, 0)
        constant.parameters[-twin.out_features :] = output  # the biases
        report = constant.evaluate(
            data.X, data.y, data.weight, self._loss, [], self._n_threads
        )
        return float(report["loss"])

    def _summed(self) -> tuple[float, Array]:
        """Return loss and gradient as sums over chunks of rows, to bound memory."""
        native, n = self._twin._native, len(self._data)  # noqa: SLF001
        size = max(256, _CHUNK // (native.in_features + sum(native.layer_widths)))
        if n <= size:
            return self._part(self._data)
        total = _weight_of(self._data)
        value, gradient = 0.0, np.zeros(self.n_parameters)
        for begin in range(0, n, size):
            part = _slice(self._data, begin, min(begin + size, n))
            share = _weight_of(part) / total
            if share > 0:
                part_value, part_gradient = self._part(part)
                value += share * part_value
                gradient += share * part_gradient
        return value, gradient

    def _part(self, data: Data) -> tuple[float, Array]:
        value, gradient = self._twin._native.loss_and_gradients(  # noqa: SLF001
            data.X,
            data.y,
            data.weight,
            self._loss,
            False,
            self._l1,
            self._l2,
            self._n_threads,
        )
        return float(value), np.asarray(gradient)


def _float64_twin(net: Sequential) -> Sequential:
    """Return a copy of the network, in float64."""
    state: dict[str, npt.NDArray[Any]] = net.state_dict()
    twin = Sequential(*net.layers, seed=net.seed, dtype="float64")
    twin._restore(  # noqa: SLF001
        int(net.in_features or 0),
        {
            name: array.astype(np.float64) if array.dtype.kind == "f" else array
            for name, array in state.items()
        },
        (0, 0),
    )
    return twin


def _slice(data: Data, begin: int, end: int) -> Data:
    weight = None if data.weight is None else data.weight[begin:end]
    if isinstance(data.X, np.ndarray):
        X: Any = data.X[begin:end]
    else:
        X = some_rows(data.X, np.arange(begin, end))
    return Data(X, data.y[begin:end], weight)


def _weight_of(data: Data) -> float:
    return float(len(data) if data.weight is None else data.weight.sum())
