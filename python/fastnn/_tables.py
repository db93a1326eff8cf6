"""Tables of numbers as text, as HTML and as data frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from fastnn import _html

__all__ = ["Columns", "html_table", "text_table"]

Columns = Mapping[str, Sequence[object]]
"""Heading and cells, numbers or text, of each column."""


def text_table(columns: Columns) -> str:
    """Return columns side by side, each aligned to the right."""
    cells = [[name, *map(_cell, values)] for name, values in columns.items()]
    widths = [max(map(len, column)) for column in cells]
    rows = zip(*cells, strict=True)
    return "\n".join(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def html_table(columns: Columns) -> str:
    """Return the same for a notebook."""
    rows = zip(*columns.values(), strict=True)
    return _html.table(
        [(name, "right") for name in columns],
        [[escape(_cell(value)) for value in row] for row in rows],
    )


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if math.isnan(value) else f"{value:.4g}"
