"""Which layers of a network training leaves alone, by their positions."""

from __future__ import annotations

import reprlib
from typing import Any

from fastnn._config import is_int
from fastnn.errors import ModelFileError

__all__ = ["frozen_from_plain", "positions"]


def positions(indices: tuple[Any, ...], n_layers: int) -> frozenset[int]:
    """Return positions from indices as lists have them; all of them from none."""
    if not indices:
        return frozenset(range(n_layers))
    for index in indices:
        if not is_int(index):
            raise TypeError(
                "indices must be positions of layers, integers as in "
                f"net.freeze(0, 1), got {type(index).__name__} {index!r}"
            )
        if not -n_layers <= index < n_layers:
            raise ValueError(
                f"indices must be from {-n_layers} to {n_layers - 1} for a network "
                f"of {n_layers} layers, got {index}"
            )
    return frozenset(int(index) % n_layers for index in indices)


def frozen_from_plain(plain: object, n_layers: int, where: str) -> frozenset[int]:
    """Return what a file says is frozen; nothing is believed of it."""
    if (
        not isinstance(plain, list)
        or not plain
        or any(type(i) is not int or not 0 <= i < n_layers for i in plain)
        or sorted(set(plain)) != plain
    ):
        raise ModelFileError(
            where,
            f"must be positions of layers in rising order, got {reprlib.repr(plain)}",
        )
    return frozenset(plain)
