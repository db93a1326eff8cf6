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

    Later training of the network does not reach the twin. Of ``trained_only``
    parameters, vectors leave out what frozen layers own; `point` never does.
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
        trained_only: bool = False,
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
        self._trained = _trained(net) if trained_only else _all(self.point)

    @property
    def n_parameters(self) -> int:
        """How many elements vectors have."""
        return int(self._trained.sum())

    def widened(self, vectors: Array) -> Array:
        """Return vectors, (n_parameters, ...), with zeros for what they leave out."""
        full = np.zeros((self.point.size, *vectors.shape[1:]))
        full[self._trained] = vectors
        return full

    def narrowed(self, full: Array) -> Array:
        """Return of one number for each parameter those that vectors have."""
        return np.asarray(full[self._trained])

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
            self.widened(v),
            curvature,
            self._l1,
            self._l2,
            self._n_threads,
        )
        if not np.isfinite(product).all():
            raise ValueError(
                "the product with v is not finite: the network's outputs, the loss or "
                "their slopes overflow on X; scale X or v down, or take weights from "
                "before training diverged"
            )
        return product[self._trained]

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
            value, gradient = self._summed()
        finally:
            twin.parameters[:] = self.point
        return value, gradient[self._trained]

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
        value, gradient = 0.0, np.zeros(self.point.size)
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


def _all(point: Array) -> Array:
    return np.ones(point.size, dtype=bool)


def _trained(net: Sequential) -> Array:
    """Return which parameters belong to layers that are not frozen."""
    marks = [
        np.full(view.size, int(name.partition(".")[0]) not in net.frozen)
        for name, view, trainable in net._native.tensors()  # noqa: SLF001
        if trainable
    ]
    mask = np.concatenate([np.zeros(0, dtype=bool), *marks])
    if not mask.any():
        raise ValueError(
            "net has no parameters that training changes: add a Dense layer, or "
            "net.unfreeze() some"
        )
    return mask


def _slice(data: Data, begin: int, end: int) -> Data:
    weight = None if data.weight is None else data.weight[begin:end]
    if isinstance(data.X, np.ndarray):
        X: Any = data.X[begin:end]
    else:
        X = some_rows(data.X, np.arange(begin, end))
    return Data(X, data.y[begin:end], weight)


def _weight_of(data: Data) -> float:
    return float(len(data) if data.weight is None else data.weight.sum())
