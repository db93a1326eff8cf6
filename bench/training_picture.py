"""The picture of the training benchmark: who is faster, by how much, on which network.

Above, for each network, how many times longer than fastnn every peer takes; below, the
time of a step while one thing grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from peers import ENTRANTS
from report import duration
from training_cases import HEADLINE, SWEEPS
from training_report import Entry, peers_in, ratio, times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLOURS = {
    "fastnn": "#c0392b",
    "jax": "#2e86c1",
    "torch": "#e67e22",
    "compiled": "#f5b971",
    "sklearn": "#58a55c",
    "numpy": "#8e8e93",
}
TITLES = {
    "depth": "number of hidden layers of 128, batch 128",
    "width": "width of three hidden layers, batch 128",
    "batch": "batch size, 784-256-128-10",
    "rows": "rows an epoch, 64-128-64-10, batch 128",
}


def draw(path: Path, about: dict[str, Any], entries: Sequence[Entry]) -> None:
    """Draw the entries with the most threads."""
    threads = max(entry["threads"] for entry in entries)
    shown = [entry for entry in entries if entry["threads"] == threads]
    bars = [entry for entry in shown if entry["case"]["group"] == HEADLINE]
    sweeps = {
        group: [entry for entry in shown if entry["case"]["group"] == group]
        for group in SWEEPS
    }
    sweeps = {group: rows for group, rows in sweeps.items() if len(rows) > 1}
    heights = [1.25, 1] if bars and sweeps else [1]
    figure = Figure(figsize=(13, 4.2 * sum(heights) + 0.6), layout="constrained")
    areas = list(figure.subfigures(len(heights), height_ratios=heights, squeeze=False))
    if bars:
        _bars(areas[0][0].subplots(), bars)
    if sweeps:
        axes = areas[-1][0].subplots(1, len(sweeps), squeeze=False)[0]
        for axis, (group, rows) in zip(axes, sweeps.items(), strict=True):
            _lines(axis, group, rows)
        axes[0].set_ylabel("time of a step")
    figure.suptitle(_title(about, threads), fontsize=14, fontweight="bold")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _title(about: dict[str, Any], threads: int) -> str:
    processor = str(about["processor"]).split(" (")[0]
    return (
        f"A training step on a CPU: fastnn beside its peers "
        f"({threads} thread{'s' * (threads > 1)}, {processor}, {about['level']})"
    )


def _bars(axis: Any, entries: Sequence[Entry]) -> None:
    """For each network how many times longer than fastnn, the line, a peer takes."""
    keys = peers_in(entries)
    width = 0.84 / len(keys)
    for k, key in enumerate(keys):
        for i, entry in enumerate(entries):
            value = ratio(entry, key)
            if value is None:
                continue
            x = i - 0.42 + (k + 0.5) * width
            label = ENTRANTS[key].label if not i else None
            drawn = {"width": width * 0.94, "color": COLOURS[key], "label": label}
            axis.bar(x, value - 1, bottom=1, **drawn)
            _write_ratio(axis, x, value)
    _fastnn_line(axis, len(entries))
    axis.set_yscale("log")
    values = [ratio(e, key) or 1.0 for e in entries for key in keys]
    axis.set_ylim(min(0.85, *values) / 1.25, max(values) * 1.6)
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}x"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xticks(range(len(entries)), [_network(e) for e in entries], fontsize=10)
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.62, len(entries) - 0.45)
    axis.set_ylabel("times as long as fastnn takes\n(log scale)")
    axis.legend(ncols=len(keys) + 1, loc="upper right", fontsize=9.5, frameon=False)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _write_ratio(axis: Any, x: float, value: float) -> None:
    """Above a bar that rises, below one that hangs: that peer is the faster one."""
    place = {"va": "bottom"} if value >= 1 else {"va": "top", "color": "#a00000"}
    y = value * 1.03 if value >= 1 else value / 1.03
    axis.text(x, y, times(value), ha="center", fontsize=8.5, **place)


def _fastnn_line(axis: Any, count: int) -> None:
    line = {"color": COLOURS["fastnn"], "linewidth": 2.6, "label": "fastnn = 1"}
    axis.plot([-0.5, count - 0.5], [1, 1], **line)


def _network(entry: Entry) -> str:
    ours = duration(entry["seconds"]["fastnn"]["median"])
    label, batch = entry["case"]["label"], entry["case"]["batch"]
    return f"{label}, batch {batch}\nfastnn: {ours} a step"


def _lines(axis: Any, group: str, entries: Sequence[Entry]) -> None:
    """The time of a step of each contender while one size grows, both in powers."""
    for key in reversed(ENTRANTS):
        rows = [entry for entry in entries if key in entry["seconds"]]
        if not rows:
            continue
        x = [float(entry["case"]["label"].replace(",", "")) for entry in rows]
        seconds = [entry["seconds"][key] for entry in rows]
        bold = 2.6 if key == "fastnn" else 1.4
        colour = COLOURS[key]
        axis.plot(
            x,
            [s["median"] for s in seconds],
            *("o-",),
            color=colour,
            linewidth=bold,
            markersize=3 + bold,
        )
        low, high = ([s[end] for s in seconds] for end in ("low", "high"))
        axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(TITLES[group], fontsize=10)
    ticks = [float(entry["case"]["label"].replace(",", "")) for entry in entries]
    axis.set_xticks(ticks, [_count(tick) for tick in ticks], fontsize=8)
    bottom, top = axis.get_ylim()
    axis.set_ylim(min(bottom, top / 100), top)
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.minorticks_off()
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _short(v)))
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _count(number: float) -> str:
    """Write 2048, 10k, 1M."""
    if number < 10_000:
        return f"{number:g}"
    return f"{number / 1e3:g}k" if number < 1e6 else f"{number / 1e6:g}M"


def _short(seconds: float) -> str:
    for unit, scale in (("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 999:
            return f"{seconds * scale:g} {unit}"
    return f"{seconds:g} s"
