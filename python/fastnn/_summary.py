"""A network as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from fastnn import _html
from fastnn.layers import Dense, Layer, Residual
from fastnn.layers.chain import count_parameters, count_statistics, output_width

__all__ = ["network_html", "network_repr", "network_summary"]


class _Row(NamedTuple):
    """A layer, or the input, of a network as far as widths are known."""

    position: str
    layer: str
    width: int | None
    parameters: int | None  # None: not known, or the input


def network_repr(name: str, layers: Sequence[Layer], *, seed: int, dtype: str) -> str:
    """Return the layers one a line, numbered as in the names of the tensors."""
    lines = _repr_lines(layers, "  ")
    return "\n".join([f"{name}(", *lines, f"  seed={seed}, dtype={dtype!r}", ")"])


def _repr_lines(layers: Sequence[Layer], indent: str) -> list[str]:
    lines = []
    for i, layer in enumerate(layers):
        if isinstance(layer, Residual):
            lines.append(f"{indent}({i}): {type(layer).__name__}(")
            lines += _repr_lines(layer.layers, f"{indent}  ")
            if layer.options():
                lines.append(f"{indent}  {layer.options()}")
            lines.append(f"{indent})")
        else:
            lines.append(f"{indent}({i}): {layer!r}")
    return lines


def network_summary(layers: Sequence[Layer], in_features: int, dtype: str) -> str:
    """Return a table of the layers, their output shapes and parameter counts."""
    cells = [
        (row.position, row.layer, _shape(row.width), _number(row.parameters))
        for row in _rows(layers, in_features)
    ]
    table = _table([("", "Layer", "Output", "Parameters"), *cells])
    return "\n".join([*table, *_totals(layers, in_features, dtype)])


def network_html(
    name: str,
    layers: Sequence[Layer],
    in_features: int | None,
    *,
    built: bool,
    seed: int,
    dtype: str,
) -> str:
    """Return the same for a notebook, also of a network that is not built yet."""
    columns = [
        ("", "right"),
        ("Layer", "left"),
        ("Output", "left"),
        ("Parameters", "right"),
    ]
    cells = [
        (row.position, _code(row.layer), _shape(row.width), _number(row.parameters))
        for row in _rows(layers, in_features)
    ]
    if in_features is None:
        totals = ["the input's width is not known yet: fit, or build(in_features)"]
    else:
        totals = _totals(layers, in_features, dtype)
    note = f"{dtype}, seed {seed}, {'built' if built else 'not built yet'}"
    below = "".join(f"<div>{escape(line)}</div>" for line in totals)
    return _html.block(name, note, _html.table(columns, cells), below)


def _rows(layers: Sequence[Layer], in_features: int | None) -> list[_Row]:
    return [_Row("", "input", in_features, None), *_layer_rows(layers, in_features)]


def _layer_rows(
    layers: Sequence[Layer], width: int | None, prefix: str = "", indent: str = ""
) -> list[_Row]:
    rows = []
    for i, layer in enumerate(layers):
        given, width = width, output_width((layer,), width)
        name = f"{prefix}{i}"
        if isinstance(layer, Residual):
            head = f"{indent}{type(layer).__name__}({layer.options()})"
            rows.append(_Row(name, head, width, None))  # its layers have their own rows
            rows += _layer_rows(layer.layers, given, f"{name}.", f"{indent}  ")
            if given is not None and layer.projects(given):
                projection = Dense(layer.width(given), use_bias=False)
                rows += _layer_rows((projection,), given, f"{name}.", f"{indent}  ")
                rows[-1] = rows[-1]._replace(position=f"{name}.projection")
        else:
            count = None if given is None else count_parameters((layer,), given)
            rows.append(_Row(name, f"{indent}{layer!r}", width, count))
    return rows


def _totals(layers: Sequence[Layer], in_features: int, dtype: str) -> list[str]:
    trainable = count_parameters(layers, in_features)
    size = trainable * (4 if dtype == "float32" else 8) / 1024
    lines = [f"{trainable:,} parameters, {dtype}, {size:,.1f} KiB"]
    statistics = count_statistics(layers, in_features)
    if statistics:
        lines.append(f"{statistics:,} running statistics, not trained by gradients")
    return lines


def _shape(width: int | None) -> str:
    return f"(n, {'?' if width is None else width})"


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _code(text: str) -> str:
    style = "font-family: monospace; white-space: pre"  # rows of blocks are indented
    return f'<span style="{style}">{escape(text)}</span>'


def _table(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """Return aligned columns: numbers to the right, words to the left."""
    width = [max(len(row[c]) for row in rows) for c in range(4)]
    lines = [
        f"{i:>{width[0]}}  {layer:<{width[1]}}  {out:<{width[2]}}  "
        f"{count:>{width[3]}}".rstrip()
        for i, layer, out, count in rows
    ]
    rule = "-" * (sum(width) + 6)
    return [lines[0], rule, *lines[1:], rule]
