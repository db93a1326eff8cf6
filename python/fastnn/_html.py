"""Small tables and curves for notebooks, legible on light and on dark themes.

They take text and lines in the colour of the page and set no background.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

__all__ = ["block", "spans_decades", "sparkline", "table"]

_RULE = "border-bottom: 1px solid currentColor"
_BLOCK = "font-size: 0.92em; line-height: 1.4; overflow-x: auto"
_TABLE = (
    "border-collapse: collapse; margin: 0.3em 0; font-size: inherit; color: inherit; "
    "font-variant-numeric: tabular-nums"
)
_CELL = "padding: 0.1em 0.7em 0.1em 0; white-space: nowrap"
_WIDTH, _HEIGHT = 120, 24
_MOST_POINTS = 240


def block(title: str, note: str, *content: str) -> str:
    """Return a titled block; title and note are text, `content` is HTML."""
    head = f"<strong>{escape(title)}</strong> <span>{escape(note)}</span>"
    return "\n".join([f'<div style="{_BLOCK}">', head, *content, "</div>"])


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns are (heading, "left" or "right"), cells are HTML."""
    head = "".join(
        f'<th style="{_CELL}; {_RULE}; text-align: {side}">{escape(name)}</th>'
        for name, side in columns
    )
    lines = [
        f'<table style="{_TABLE}">',
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
    ]
    for row in rows:
        cells = "".join(
            f'<td style="{_CELL}; text-align: {side}">{cell}</td>'
            for cell, (_, side) in zip(row, columns, strict=True)
        )
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def sparkline(values: Sequence[float], marked: int) -> str:
    """Return a curve without axes, a dot at one index; NaN and infinity are gaps.

    The scale is logarithmic where the values span more than two decades.
    """
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return ""
    log = spans_decades(finite)
    low, high = min(finite), max(finite)
    if log:
        low, high = math.log(low), math.log(high)
    last = max(len(values) - 1, 1)

    def point(i: int) -> str:
        v = math.log(values[i]) if log else values[i]
        x = 3 + (_WIDTH - 6) * i / last
        share = (v - low) / (high - low) if high > low else 0.5
        return f"{x:.1f},{3 + (_HEIGHT - 6) * (1 - share):.1f}"

    step = math.ceil(len(values) / _MOST_POINTS)
    shown = sorted({*range(0, len(values), step), len(values) - 1})
    points = " ".join(point(i) for i in shown if math.isfinite(values[i]))
    dot = ""
    if 0 <= marked < len(values) and math.isfinite(values[marked]):
        x, y = point(marked).split(",")
        dot = f'<circle cx="{x}" cy="{y}" r="2.4" fill="currentColor"/>'
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" style="vertical-align: middle">'
        f'<polyline points="{points}" fill="none" stroke="currentColor" '
        f'stroke-width="1.3" opacity="0.75"/>{dot}</svg>'
    )


def spans_decades(values: Sequence[float]) -> bool:
    """Whether these are positive numbers that a linear scale would flatten."""
    finite = [v for v in values if math.isfinite(v)]
    return bool(finite) and min(finite) > 0 and max(finite) > 100 * min(finite)
