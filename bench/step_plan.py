"""What a training step consists of, on paper: stages, their tiles, the work of each.

A step has two stages. In the first each tile of rows is gathered and goes forward,
through the loss and backward; in the second each slice of a weight matrix gets its
gradient over the whole batch and is updated. Tile heights are the engine's:
``tile_height`` as in cpp/fastnn/nn/batch_pass.cpp, ``slice_height`` as in
nn/dense.cpp, ``threads_for`` as in train/trainer.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaling_cases import Net

LANES = 16  # float32 numbers of a register: products compute whole ones
DEPTH = 128  # terms of a sum before it goes to memory and comes back
_FLOAT = 4  # bytes
# A parameter and its two moments are read and written while the gradient stays in
# cache; its copy, packed for the next forward product, is written, which reads it too.
UPDATE_BYTES = 8 * _FLOAT
STATE_BYTES = 4 * _FLOAT  # all of these together

Work = Mapping[str, float]  # how much of each kind of work


@dataclass(frozen=True)
class Tile:
    """What one thread does without meeting others."""

    work: Work
    foreign: float  # bytes that another core wrote last, if all cores but one did


@dataclass(frozen=True)
class Plan:
    """The tiles of a step's stages, and the sequential work between them."""

    stages: tuple[tuple[Tile, ...], ...]
    sequential: Work
    working_set: float  # bytes that every step touches
    state: float  # bytes of parameters, moments and packed copies


def plan(net: Net, threads: int) -> Plan:
    """Return a step's work for a team of so many threads."""
    heights = _cuts(net.batch, tile_height(net.batch))
    # Each thread reads all weights, but those of its second tile are in its cache.
    tiles_each = -(-len(heights) // threads)
    fresh = _FLOAT * net.parameters / tiles_each
    rows = [Tile(_row_tile(net, height), fresh) for height in heights]
    slices = [tile for layer in net.layers for tile in _slices(net, *layer, threads)]
    state = float(STATE_BYTES * net.parameters)
    activations = 2.0 * _FLOAT * net.batch * sum(net.widths)
    stages = (tuple(rows), tuple(slices))
    return Plan(stages, {"step": 1.0}, state + activations, state)


def tile_height(batch: int) -> int:
    """Return the rows of a tile."""
    if batch <= 128:
        return max(16, _up(-(-batch // 2), 16))
    return min(128, max(64, _up(-(-batch // 4), 16)))


def slice_height(units: int, inputs: int) -> int:
    """Return the units whose weights are updated at once: about 512 KiB."""
    if units * inputs < 4096:
        return units
    slices = _up(-(-units * inputs * _FLOAT // (512 << 10)), 2)
    height = max(-(-units // slices), min(128, units // 2))
    return min(units, _up(height, LANES))


def threads_for(net: Net, allowed: int) -> int:
    """Return how many threads a step takes: small ones take fewer than they may."""
    work = net.parameters * (6 * net.batch + 64)
    slices = sum(
        len(_cuts(units, slice_height(units, inputs))) for inputs, units in net.layers
    )
    tiles = len(_cuts(net.batch, tile_height(net.batch)))
    return min(allowed, max(tiles, slices), int(1 + work / 2e6))


def _row_tile(net: Net, height: int) -> Work:
    """Gather, forward, loss and backward of some rows."""
    parts: list[Work] = [{"gather": 2.0 * _FLOAT * height * net.widths[0]}]
    for i, (inputs, units) in enumerate(net.layers):
        parts.append(_product(height, units, inputs))
        if i:  # nobody needs the gradient of the first layer's inputs
            parts.append(_product(height, inputs, units))
        passes = 1 + (i > 0)
        parts.append({"weights": passes * _FLOAT * float(inputs * units)})
        last = i == len(net.layers) - 1
        parts.append({"loss" if last else "activation": float(height * units)})
    return total([*parts, {"rows": height}])


def _slices(net: Net, inputs: int, units: int, threads: int) -> list[Tile]:
    """Gradient and update of each slice of a layer."""
    heights = _cuts(units, slice_height(units, inputs))
    tiles = []
    for height in heights:
        work = total(
            [
                _product(height, inputs, net.batch),
                {"update": float(height * (inputs + 1))},
            ]
        )
        # The layer's inputs serve all slices of a thread. Moments stay where they are:
        # slices are handed out alike in every step, most times.
        shared = inputs * min(1.0, threads / len(heights))
        foreign = _FLOAT * net.batch * (shared + height)
        tiles.append(Tile(work, foreign))
    return tiles


def _product(rows: int, cols: int, depth: int) -> Work:
    """Return the work of a product (rows, depth) by (depth, cols)."""
    return {
        "product": 2.0 * rows * _up(cols, LANES) * depth,
        "results": float(rows * _up(cols, LANES) * -(-depth // DEPTH)),
        "call": 1,
    }


def total(parts: Sequence[Work]) -> Work:
    """Return the sum of some work."""
    result: dict[str, float] = {}
    for part in parts:
        for kind, amount in part.items():
            result[kind] = result.get(kind, 0.0) + amount
    return result


def _cuts(n: int, height: int) -> list[int]:
    return [min(height, n - begin) for begin in range(0, n, height)]


def _up(n: int, step: int) -> int:
    return -(-n // step) * step
