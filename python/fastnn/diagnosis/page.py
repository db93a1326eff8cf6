"""A report as one page of HTML that needs nothing else."""

from __future__ import annotations

import base64
import io
import os
from html import escape
from typing import TYPE_CHECKING, Any

from fastnn.diagnosis.report import Finding, shown
from fastnn.io.atomic import write_atomically

if TYPE_CHECKING:
    from fastnn.diagnosis.report import Report

__all__ = ["fragment", "write"]

_STYLE = """
.fastnn{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:auto;color:#1c1f23}
.fastnn h1{font-size:1.35rem;margin:0 0 .2rem}
.fastnn .note{color:#666c75;font-size:.85rem;margin:0 0 1.2rem}
.fastnn .finding{border-left:.35rem solid #888a85;background:#f6f7f8;
 padding:.6rem 1rem;margin:.7rem 0;border-radius:.2rem;break-inside:avoid}
.fastnn .severe{border-color:#cc0000}.fastnn .warning{border-color:#e08a00}
.fastnn .info{border-color:#3465a4}
.fastnn h2{font-size:1rem;margin:0}
.fastnn code{font-size:.8rem;color:#666c75}
.fastnn dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem;
 margin:.4rem 0;font-size:.85rem}
.fastnn dt{color:#666c75}.fastnn dd{margin:0;font-variant-numeric:tabular-nums}
.fastnn .advice{margin:.3rem 0 0}
.fastnn table{border-collapse:collapse;font-size:.85rem;margin:.6rem 0}
.fastnn th,.fastnn td{padding:.15rem .7rem;text-align:right}
.fastnn th:first-child,.fastnn td:first-child{text-align:left}
.fastnn thead{border-bottom:1px solid #c8ccd0}
.fastnn img{width:100%;background:#fff;border-radius:.2rem;margin:.6rem 0}
@media (prefers-color-scheme:dark){html.fastnn-page{background:#16181b}
 .fastnn-page .fastnn{color:#e6e8ea}.fastnn-page .finding{background:#212429}
 .fastnn-page .note,.fastnn-page dt,.fastnn-page code{color:#9aa1a9}}
@media print{html.fastnn-page{background:#fff}.fastnn-page .fastnn{color:#000}
 .fastnn-page .finding{background:#fff;border-top:1px solid #ddd}}
"""

_DIGITS = "{:.3g}".format


def write(report: Report, path: str | os.PathLike[str]) -> None:
    """Write the page; what was there is replaced whole."""
    page = (
        '<!doctype html>\n<html lang="en" class="fastnn-page"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>fastnn: {escape(report.verdict)}</title></head>"
        f'<body style="margin:2rem 1rem">{fragment(report)}</body></html>\n'
    )
    write_atomically(os.fspath(path), [page.encode()])


def fragment(report: Report) -> str:
    """Return the report as a part of a page, such as a notebook's output."""
    end = "" if report.complete else "; not all stages: it was ended early"
    note = (
        f"{len(report.stages)} stages in {report.seconds:.1f} s{end}. Losses are "
        "shares: 0 is no loss, 1 the loss of the best constant outputs."
    )
    parts = [
        f"<style>{_STYLE}</style>",
        f"<h1>{escape(report.headline)}</h1>",
        f'<p class="note">{note}</p>',
        *map(_finding, report.findings),
        _picture(report),
        _layers(report.measurements.get("layers")),
    ]
    return f'<div class="fastnn">{"".join(parts)}</div>'


def _finding(finding: Finding) -> str:
    evidence = "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(shown(value))}</dd>"
        for name, value in finding.evidence.items()
    )
    return (
        f'<div class="finding {finding.severity}"><h2>{escape(finding.title)}</h2>'
        f"<code>{finding.severity}: {escape(finding.code)}</code>"
        f"<dl>{evidence}</dl>"
        f'<p class="advice">&rarr; {escape(finding.advice)}</p></div>'
    )


def _picture(report: Report) -> str:
    """Return the pictures, where matplotlib is installed."""
    try:
        figure = report.plot()
    except ImportError:
        return ""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    data = base64.b64encode(drawn.getvalue()).decode()
    return f'<img alt="what was measured" src="data:image/svg+xml;base64,{data}">'


def _layers(layers: dict[str, Any] | None) -> str:
    if not layers:
        return ""
    columns = ("mean", "spread", "dead", "saturated", "gradient", "weight")
    head = "".join(f"<th>{name}</th>" for name in ("layer", *columns))
    rows = "".join(
        f"<tr><td>{escape(s.name)}</td>"
        + "".join(f"<td>{_DIGITS(getattr(s, name))}</td>" for name in columns)
        + "</tr>"
        for s in layers["trained"]
    )
    return (
        "<h2>Layers after training</h2><table><thead><tr>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
