"""A network as text."""

from __future__ import annotations

from collections.abc import Sequence

from fastnn._state import Tensor
from fastnn.layers import Layer

__all__ = ["network_repr", "network_summary"]


def network_repr(name: str, layers: Sequence[Layer], *, seed: int, dtype: str) -> str:
    """Return the layers one a line, numbered as in the names of the tensors."""
    lines = [f"  ({i}): {layer!r}" for i, layer in enumerate(layers)]
    return "\n".join([f"{name}(", *lines, f"  seed={seed}, dtype={dtype!r}", ")"])


def network_summary(
    layers: Sequence[Layer], in_features: int, tensors: Sequence[Tensor], dtype: str
) -> str:
    """Return a table of the layers, their output shapes and parameter counts."""
    counts = [0] * len(layers)
    trainable = other = 0
    for name, view, is_trainable in tensors:
        if is_trainable:
            counts[int(name.partition(".")[0])] += view.size
            trainable += view.size
        elif not name.endswith("num_batches_tracked"):
            other += view.size
    rows = [("", "Layer", "Output", "Parameters"), ("", "input", f"(n, {in_features})")]
    width = in_features
    for i, layer in enumerate(layers):
        width = layer.width(width)
        rows.append((str(i), repr(layer), f"(n, {width})", f"{counts[i]:,}"))
    size = trainable * (4 if dtype == "float32" else 8) / 1024
    totals = [f"{trainable:,} parameters, {dtype}, {size:,.1f} KiB"]
    if other:
        totals.append(f"{other:,} running statistics, not trained by gradients")
    return "\n".join([*_table(rows), *totals])


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return aligned columns: numbers to the right, words to the left."""
    cells = [(*row, "", "")[:4] for row in rows]
    width = [max(len(row[c]) for row in cells) for c in range(4)]
    lines = [
        f"{i:>{width[0]}}  {layer:<{width[1]}}  {out:<{width[2]}}  "
        f"{count:>{width[3]}}".rstrip()
        for i, layer, out, count in cells
    ]
    rule = "-" * (sum(width) + 6)
    return [lines[0], rule, *lines[1:], rule]
