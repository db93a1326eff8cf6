"""What a network is in a file: `NetworkRecord` beside its tensors.

The tensors of a file of kind "network" have the names of ``net.state_dict()``; in a
file that holds more than a network they begin with ``"net."``. The config's entry
``net`` is the record.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy.typing as npt

from fastnn._frozen import frozen_from_plain
from fastnn._network import Network
from fastnn._plain import check_fields, from_plain, to_plain
from fastnn._validation import check_int
from fastnn.errors import ModelFileError
from fastnn.io.container import write_container
from fastnn.layers import LAYERS, Layer
from fastnn.layers.base import TensorSpec
from fastnn.layers.chain import (
    checked_chain,
    declared_width,
    named_tensors,
    output_width,
)
from fastnn.losses import LOSSES, Loss

__all__ = ["KIND", "NetworkRecord", "network_specs", "told_as", "write_network"]

_N = TypeVar("_N", bound=Network)

KIND = "network"
_COUNTS = 2**62  # numbers are below it: C++ adds to them


@dataclasses.dataclass(frozen=True)
class NetworkRecord:
    """All that a network is, beside its tensors."""

    layers: tuple[Layer, ...]
    seed: int
    dtype: str
    in_features: int
    epochs: int
    steps: int
    loss: Loss | None
    frozen: frozenset[int] = frozenset()

    @classmethod
    def of(cls, net: Network) -> NetworkRecord:
        """Return the record of a built network that nobody trains meanwhile.

        A loss that is the user's own function is left out: no file can hold it.
        """
        native, loss = net._native, net._loss  # noqa: SLF001
        if loss is not None and type(loss) is not LOSSES.get(loss.kind):
            loss = None
        epochs, steps = native.progress
        return cls(
            net.layers,
            net.seed,
            net.dtype,
            native.in_features,
            epochs,
            steps,
            loss,
            frozenset(net.frozen),
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the record as the config of a file holds it."""
        plain = {
            **vars(self),
            "layers": [to_plain(layer) for layer in self.layers],
            "loss": None if self.loss is None else to_plain(self.loss),
            "frozen": sorted(self.frozen),
        }
        if not self.frozen:  # as in the files of versions that could not freeze
            del plain["frozen"]
        return plain

    @classmethod
    def from_plain(cls, plain: object, where: str) -> NetworkRecord:
        """Return the record that `plain` is; nothing is believed of it.

        Raises
        ------
        ModelFileError
            Naming what is wrong, within `where`.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if not (isinstance(plain, dict) and "frozen" in plain):
            names.remove("frozen")
        given = check_fields(plain, names, where)
        counts = {"in_features": 1, "epochs": 0, "steps": 0}
        numbers = {}
        for name, at_least in counts.items():
            with told_as(f"{where}.{name}"):
                numbers[name] = check_int(name, given[name], at_least, below=_COUNTS)
        with told_as(f"{where}.seed"):
            seed = check_int("seed", given["seed"], 0, below=2**64)
        dtype = given["dtype"]
        if dtype not in ("float32", "float64"):
            raise ModelFileError(
                f"{where}.dtype", f"must be 'float32' or 'float64', got {dtype!r}"
            )
        layers = _layers(given["layers"], numbers["in_features"], f"{where}.layers")
        loss = None
        if given["loss"] is not None:
            loss = from_plain(Loss, LOSSES, given["loss"], f"{where}.loss")
        frozen: frozenset[int] = frozenset()
        if "frozen" in given:
            frozen = frozen_from_plain(given["frozen"], len(layers), f"{where}.frozen")
        return cls(
            layers=layers,
            seed=seed,
            dtype=dtype,
            loss=loss,
            frozen=frozen,
            **numbers,
        )

    def tensors(self) -> dict[str, TensorSpec]:
        """Return dtype and shape of every tensor such a network has, by its name."""
        return named_tensors(self.layers, self.in_features, self.dtype)

    def network(self, cls: type[_N], tensors: Mapping[str, npt.NDArray[Any]]) -> _N:
        """Return the network with these tensors.

        Raises
        ------
        ModelFileError
            If a number is none such a network can have, as a negative variance.
        """
        net = cls(*self.layers, seed=self.seed, dtype=self.dtype)
        net._freeze(self.frozen)
        with told_as("tensors"):
            net._restore(self.in_features, tensors, (self.epochs, self.steps))
        net._loss = self.loss
        return net


@contextlib.contextmanager
def told_as(field: str) -> Iterator[None]:
    """Turn what a check of arguments says into a ModelFileError at `field`."""
    try:
        yield
    except ModelFileError:
        raise
    except (TypeError, ValueError) as error:
        raise ModelFileError(field, str(error)) from None


def _layers(plain: object, in_features: int, where: str) -> tuple[Layer, ...]:
    """Return layers that make a network for inputs of this width."""
    if not isinstance(plain, list):
        raise ModelFileError(where, f"must be a list, got {type(plain).__name__}")
    layers = tuple(
        from_plain(Layer, LAYERS, layer, f"{where}[{i}]")
        for i, layer in enumerate(plain)
    )
    with told_as(where):
        layers = checked_chain(layers)
    declared = declared_width(layers)
    if declared not in (None, in_features):
        raise ModelFileError(
            where, f"are for {declared} features, but in_features is {in_features}"
        )
    with told_as(where):
        output_width(layers, in_features)
    return layers


def write_network(path: str | os.PathLike[str], net: Network) -> None:
    """Write a built network; `net.save` is the user's word for it."""
    net = net.copy()  # under the network's guard, so that nothing is torn
    tensors = {name: view for name, view, _ in net._native.tensors()}  # noqa: SLF001
    write_container(path, KIND, {"net": NetworkRecord.of(net).to_plain()}, tensors)


def network_specs(config: dict[str, Any]) -> dict[str, TensorSpec]:
    """Return dtype and shape of every tensor in a file of this kind."""
    plain = check_fields(config, ("net",), "config")["net"]
    return NetworkRecord.from_plain(plain, "config.net").tensors()
