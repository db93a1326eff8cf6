"""The results of the inference benchmark: merging them, their Markdown and picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from predictors import ENTRANTS
from report import duration, markdown_table

Entry = dict[str, Any]  # a network, its rows and threads: who took how long

COLOURS = {
    "fastnn": "#c0392b",
    "onnx": "#7d3c98",
    "jax": "#2e86c1",
    "torch": "#e67e22",
    "compiled": "#f5b971",
    "sklearn": "#58a55c",
}
METHOD = """\
Times are of one call: a NumPy array of float32 rows in, raw outputs as a NumPy array
out; medians, contenders in turns, each in its own process with the same number of
threads. A ratio says how many times longer than fastnn a peer takes; ratios of one
line stem from the same minutes.
"""


def merged(old: Iterable[Entry], new: Iterable[Entry]) -> list[Entry]:
    """Return old entries with the new in their place, in order."""

    def identity(entry: Entry) -> tuple[str, int, int]:
        return entry["network"], entry["rows"], entry["threads"]

    entries = {identity(entry): entry for entry in (*old, *new)}

    def place(entry: Entry) -> tuple[int, int, str, int]:
        network = entry["network"]
        return -entry["threads"], _weights(network), network, entry["rows"]

    return sorted(entries.values(), key=place)


def _weights(network: str) -> int:
    widths = [int(width) for width in network.split("-")]
    return sum(m * n for m, n in pairwise(widths))


def ratio(entry: Entry, key: str) -> float | None:
    """How many times longer than fastnn a contender took, if it took part."""
    seconds = entry["seconds"]
    if key not in seconds:
        return None
    return float(seconds[key]["median"] / seconds["fastnn"]["median"])


def peers_of(entries: Sequence[Entry]) -> list[str]:
    return [
        key
        for key in ENTRANTS
        if key != "fastnn" and any(key in entry["seconds"] for entry in entries)
    ]


def as_markdown(about: dict[str, Any], entries: Sequence[Entry]) -> str:
    """Return the report: the machine, then a table for each number of threads."""
    text = "# Inference beside peers\n\n" + METHOD + "\n"
    text += "".join(f"* {key}: {value}\n" for key, value in about.items())
    peers = peers_of(entries)
    header = ["network", "rows", "fastnn", "quartiles", "a row"]
    header += [f"of {ENTRANTS[key].label}" for key in peers]
    for threads in dict.fromkeys(entry["threads"] for entry in entries):
        rows = [_row(e, peers) for e in entries if e["threads"] == threads]
        text += f"\n## {threads} thread{'s' * (threads > 1)}\n\n"
        text += markdown_table(header, rows)
    return text


def _row(entry: Entry, peers: Sequence[str]) -> list[str]:
    ours = entry["seconds"]["fastnn"]
    ratios = [ratio(entry, key) for key in peers]
    return [
        entry["network"],
        f"{entry['rows']:,}",
        duration(ours["median"]),
        f"{duration(ours['low'])} to {duration(ours['high'])}",
        duration(ours["median"] / entry["rows"]),
        *("" if value is None else f"{value:.2f}x" for value in ratios),
    ]


def draw(path: Path, about: dict[str, Any], entries: Sequence[Entry]) -> None:
    """Draw the entries with the most threads: a panel for each network."""
    threads = max(entry["threads"] for entry in entries)
    shown = [entry for entry in entries if entry["threads"] == threads]
    networks = list(dict.fromkeys(entry["network"] for entry in shown))
    figure = Figure(figsize=(5.2 * len(networks) + 0.4, 4.8), layout="constrained")
    axes = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
    peers = peers_of(shown)
    for axis, network in zip(axes, networks, strict=True):
        _panel(axis, [e for e in shown if e["network"] == network], peers)
        axis.set_title(network, fontsize=11, fontweight="bold")
    values = [ratio(entry, key) or 1.0 for entry in shown for key in peers]
    axes[0].set_ylim(min(0.8, *values) / 1.3, max(values) * 1.5)
    axes[0].set_ylabel("times as long as fastnn takes\n(log scale)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    processor = str(about["processor"]).split(" (")[0]
    figure.suptitle(
        f"Predicting rows on a CPU: fastnn beside its peers ({threads} "
        f"thread{'s' * (threads > 1)}, {processor}, {about['level']})",
        fontweight="bold",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _panel(axis: Any, entries: Sequence[Entry], peers: Sequence[str]) -> None:
    """For each number of rows how many times longer than fastnn a peer takes."""
    width = 0.84 / max(len(peers), 1)
    for k, key in enumerate(peers):
        for i, entry in enumerate(entries):
            value = ratio(entry, key)
            if value is None:
                continue
            x = i - 0.42 + (k + 0.5) * width
            label = ENTRANTS[key].label if not i else None
            drawn = {"width": width * 0.94, "color": COLOURS[key], "label": label}
            axis.bar(x, value - 1, bottom=1, **drawn)
            _write_ratio(axis, x, value)
    line = {"color": COLOURS["fastnn"], "linewidth": 2.4, "label": "fastnn = 1"}
    axis.plot([-0.5, len(entries) - 0.5], [1, 1], **line)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}x"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    ticks = [
        f"{entry['rows']:,} row{'s' * (entry['rows'] > 1)}\n"
        f"fastnn: {duration(entry['seconds']['fastnn']['median'])}"
        for entry in entries
    ]
    axis.set_xticks(range(len(entries)), ticks, fontsize=9)
    axis.tick_params(axis="x", length=0)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _write_ratio(axis: Any, x: float, value: float) -> None:
    """Above a bar that rises, below one that hangs: that peer is the faster one."""
    digits = 0 if value >= 9.95 else 1 if value >= 0.95 else 2
    place = {"va": "bottom"} if value >= 1 else {"va": "top", "color": "#a00000"}
    y = value * 1.03 if value >= 1 else value / 1.03
    axis.text(x, y, f"{value:.{digits}f}", ha="center", fontsize=7.5, **place)
