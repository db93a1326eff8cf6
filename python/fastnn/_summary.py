"""A network as text and as HTML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    is_frozen: bool


def network_repr(
    name: str,
    layers: Sequence[Layer],
    *,
    seed: int,
    dtype: str,
    frozen: Collection[int] = (),
) -> str:
    """Return the layers one a line, numbered as in the names of the tensors."""
    lines = _repr_lines(layers, "  ", frozen)
    return "\n".join([f"{name}(", *lines, f"  seed={seed}, dtype={dtype!r}", ")"])


def _repr_lines(
    layers: Sequence[Layer], indent: str, frozen: Collection[int] = ()
) -> list[str]:
    lines = []
    for i, layer in enumerate(layers):
        if isinstance(layer, Residual):
            lines.append(f"{indent}({i}): {type(layer).__name__}(")
            lines += _repr_lines(layer.layers, f"{indent}  ")
            if layer.options():
                lines.append(f"{indent}  {layer.options()}")
            lines.append(indent + _told(")", is_frozen=i in frozen))
        else:
            lines.append(f"{indent}({i}): {_told(repr(layer), is_frozen=i in frozen)}")
    return lines


def network_summary(
    layers: Sequence[Layer],
    in_features: int,
    dtype: str,
    frozen: Collection[int] = (),
) -> str:
    """Return a table of the layers, their output shapes and parameter counts."""
    cells = [
        (
            row.position,
            _told(row.layer, is_frozen=row.is_frozen),
            _shape(row.width),
            _number(row.parameters),
        )
        for row in _rows(layers, in_features, frozen)
    ]
    table = _table([("", "Layer", "Output", "Parameters"), *cells])
    return "\n".join([*table, *_totals(layers, in_features, dtype, frozen)])


def network_html(
    name: str,
    layers: Sequence[Layer],
    in_features: int | None,
    *,
    built: bool,
    seed: int,
    dtype: str,
    frozen: Collection[int] = (),
) -> str:
    """Return the same for a notebook, also of a network that is not built yet."""
    columns = [
        ("", "right"),
        ("Layer", "left"),
        ("Output", "left"),
        ("Parameters", "right"),
    ]
    cells = [
        (
            row.position,
            _told(_code(row.layer), is_frozen=row.is_frozen),
            _shape(row.width),
            _number(row.parameters),
        )
        for row in _rows(layers, in_features, frozen)
    ]
    if in_features is None:
        totals = ["the input's width is not known yet: fit, or build(in_features)"]
    else:
        totals = _totals(layers, in_features, dtype, frozen)
    note = f"{dtype}, seed {seed}, {'built' if built else 'not built yet'}"
    below = "".join(f"<div>{escape(line)}</div>" for line in totals)
    return _html.block(name, note, _html.table(columns, cells), below)


def _rows(
    layers: Sequence[Layer], in_features: int | None, frozen: Collection[int]
) -> list[_Row]:
    rows = [_Row("", "input", in_features, None, is_frozen=False)]
    width = in_features
    for i, layer in enumerate(layers):
        rows += [
            row._replace(is_frozen=i in frozen)
            for row in _rows_of(layer, width, str(i), "")
        ]
        width = output_width((layer,), width)
    return rows


def _rows_of(layer: Layer, given: int | None, name: str, indent: str) -> list[_Row]:
    """Return the rows of a layer, or of a block and of those in it."""
    width = output_width((layer,), given)
    if not isinstance(layer, Residual):
        count = None if given is None else count_parameters((layer,), given)
        return [_Row(name, f"{indent}{layer!r}", width, count, is_frozen=False)]
    head = f"{indent}{type(layer).__name__}({layer.options()})"
    # Its layers have rows of their own.
    rows = [_Row(name, head, width, None, is_frozen=False)]
    inside = given
    for i, inner in enumerate(layer.layers):
        rows += _rows_of(inner, inside, f"{name}.{i}", f"{indent}  ")
        inside = output_width((inner,), inside)
    if given is not None and layer.projects(given):
        projection = Dense(layer.width(given), use_bias=False)
        rows += _rows_of(projection, given, f"{name}.projection", f"{indent}  ")
    return rows


def _totals(
    layers: Sequence[Layer], in_features: int, dtype: str, frozen: Collection[int]
) -> list[str]:
    count = count_parameters(layers, in_features)
    size = count * (4 if dtype == "float32" else 8) / 1024
    lines = [f"{count:,} parameters, {dtype}, {size:,.1f} KiB"]
    if frozen:
        kept = sum(
            row.parameters or 0
            for row in _rows(layers, in_features, frozen)
            if row.is_frozen
        )
        lines.append(f"{count - kept:,} of them are trained, {kept:,} are frozen")
    statistics = count_statistics(layers, in_features)
    if statistics:
        lines.append(f"{statistics:,} running statistics, not trained by gradients")
    return lines


def _told(layer: str, *, is_frozen: bool) -> str:
    return f"{layer}, frozen" if is_frozen else layer


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
