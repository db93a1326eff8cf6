"""A network whose last layers are exchanged: `Sequential.replace_head`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastnn._validation import check_int
from fastnn.errors import NotBuiltError
from fastnn.layers import Dense, Layer

if TYPE_CHECKING:
    from fastnn._network import Network

__all__ = ["replace_head"]


def replace_head(
    net: Network,
    units: int,
    *,
    activation: Any,
    init: Any,
    seed: int | None,
) -> None:
    """Put a fresh Dense where the last one is; until all is well, nothing changes."""
    at = _last_dense(net.layers)
    in_features = _inputs(net.layers[at])
    head = Dense(units, activation, init=init, in_features=in_features)
    drawn_by = net.seed if seed is None else check_int("seed", seed, 0, below=2**64)
    layers = (*net.layers[:at], head)
    native = None
    if net._native is not None:  # noqa: SLF001
        native = _with_head(net, layers, drawn_by)
    elif seed is not None:
        raise NotBuiltError(
            "replace_head: seed= draws the head at once, but this network does not "
            "know its input width yet: call net.build(in_features) first, or leave "
            "seed out"
        )
    net._become(layers, native)  # noqa: SLF001


def _last_dense(layers: tuple[Layer, ...]) -> int:
    for i in reversed(range(len(layers))):
        if isinstance(layers[i], Dense):
            return i
    raise ValueError(
        "replace_head: this network has no Dense layer to replace: "
        f"{', '.join(type(layer).__name__ for layer in layers)}"
    )


def _inputs(layer: Layer) -> int | None:
    return layer.in_features if isinstance(layer, Dense) else None


def _with_head(net: Network, layers: tuple[Layer, ...], drawn_by: int) -> Any:
    """Return a native network of these layers, all but the last with net's numbers."""
    old: Any = net._native  # noqa: SLF001
    whole = net._like(layers, net.seed)  # noqa: SLF001
    fresh = net._like(layers, drawn_by).build(old.in_features)  # noqa: SLF001
    state = fresh.state_dict()
    head = f"{len(layers) - 1}."
    state.update(
        (name, tensor)
        for name, tensor in old.state().items()
        if name in state and not name.startswith(head)
    )
    whole._restore(old.in_features, state, old.progress)  # noqa: SLF001
    return whole._native  # noqa: SLF001
