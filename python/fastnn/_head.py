"""A network whose last layers are exchanged: `Sequential.replace_head`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastnn._validation import check_int
from fastnn.errors import NotBuiltError
from fastnn.layers import Dense, Layer, Maxout
from fastnn.layers.chain import head_position

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
    """Put a fresh Dense where the head is; until all is well, nothing changes."""
    at = _head_at(net.layers)
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


def _head_at(layers: tuple[Layer, ...]) -> int:
    """Return the position of the last Dense or Maxout; nothing after it is learnt."""
    head = head_position(layers)
    if head is None:
        raise ValueError(
            "replace_head: this network has no Dense or Maxout layer to replace: "
            f"{', '.join(type(layer).__name__ for layer in layers)}"
        )
    _check_end(layers, head, layers[head].width(0))
    return head


def _check_end(layers: tuple[Layer, ...], head: int, width: int) -> None:
    """Raise ValueError if a layer after the head would be lost with its numbers."""
    for i in range(head + 1, len(layers)):
        layer = layers[i]
        if layer.tensors(width, "float32"):
            raise ValueError(
                f"replace_head: layer {i}, {type(layer).__name__}, follows the last "
                f"Dense or Maxout, layer {head}, and would be lost with the numbers it "
                "learnt; to put a head after it make new = Sequential(*net.layers, "
                "Dense(units)).build(net.in_features), then "
                "new.load_state_dict(net.state_dict(), strict=False)"
            )
        width = layer.width(width)


def _inputs(layer: Layer) -> int | None:
    return layer.in_features if isinstance(layer, (Dense, Maxout)) else None


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
