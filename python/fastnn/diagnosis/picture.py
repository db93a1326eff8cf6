"""A report in small pictures, on one page."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastnn.diagnosis.report import Report

__all__ = ["draw"]

_BLUE, _ORANGE, _GREY, _GREEN = "#3465a4", "#ce5c00", "#888a85", "#4e9a06"
_COLUMNS = 3
_SHARE = "loss (1: constant outputs)"
_LEAST = 1e-4  # shares below are drawn there


def draw(report: Report) -> Figure:
    """Return a figure with a picture for each thing that was measured."""
    try:
        figures = importlib.import_module("matplotlib.figure")
    except ModuleNotFoundError as error:
        raise ImportError(
            "Report.plot needs matplotlib: pip install fastnn[plot]"
        ) from error
    m = report.measurements
    panels = [(paint, m[key]) for key, paint in _PANELS if m.get(key)]
    rows = max(1, -(-len(panels) // _COLUMNS))
    figure: Figure = figures.Figure(
        figsize=(12, 0.7 + 3.1 * rows), layout="constrained"
    )
    figure.suptitle(report.headline, fontsize=12)
    for k, (paint, values) in enumerate(panels):
        axes = figure.add_subplot(rows, _COLUMNS, k + 1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.title.set_fontsize(10)
        paint(axes, values)
    return figure


def _training(axes: Axes, m: dict[str, Any]) -> None:
    epochs = np.arange(1, len(m["curve"]) + 1)
    axes.plot(epochs, _drawn(m["curve"]), color=_BLUE, label="training")
    axes.plot(epochs, _drawn(m["held_out_curve"]), color=_ORANGE, label="held out")
    axes.axhline(1, color=_GREY, lw=1, ls=":", label="constant outputs")
    linear = max(m["linear_model"], _LEAST)
    axes.axhline(linear, color=_GREY, lw=1, ls="--", label="linear model")
    _labels(axes, "your training", "epoch", _SHARE)
    axes.set_yscale("log")
    axes.legend(fontsize=7, frameon=False)


def _rates(axes: Axes, m: dict[str, Any]) -> None:
    axes.plot(m["rates"], m["losses"], color=_BLUE)
    if m["used"]:
        axes.axvline(m["used"], color=_ORANGE, lw=1, label=f"used: {m['used']:.2g}")
    if m["suggestion"]:
        label = f"suggested: {m['suggestion']:.2g}"
        axes.axvline(m["suggestion"], color=_GREEN, lw=1, ls="--", label=label)
    axes.set_xscale("log")
    _labels(axes, "range test", "learning rate", "loss")
    axes.legend(fontsize=7, frameon=False)


def _alternatives(axes: Axes, m: dict[str, dict[str, float]]) -> None:
    names = list(m)[::-1]
    y = np.arange(len(names))
    training = _drawn([m[n]["training"] for n in names])
    held_out = _drawn([m[n]["held_out_at_best"] for n in names])
    axes.barh(y, training, color=_BLUE, height=0.6)
    axes.plot(held_out, y, "o", color=_ORANGE, ms=4)
    axes.set_yticks(y, names, fontsize=8)
    if all(value > 0 for row in m.values() for value in row.values()):
        axes.set_xscale("log")  # half of a small loss is worth as much as of a large
        axes.set_xlim(min(training + held_out) / 2, 2 * max(training + held_out))
    else:
        axes.set_xlim(0, 1.5)
    _labels(axes, "one thing changed", "training (bar), held out at best (dot)", "")


def _gradients(axes: Axes, m: dict[str, Any]) -> None:
    for when, color in (("start", _ORANGE), ("trained", _BLUE)):
        values = [max(s.gradient, 1e-12) for s in m[when]]
        axes.plot(values, "o-", ms=3, color=color, label=when)
    axes.set_yscale("log")
    names = [s.name.split()[0] for s in m["start"]]
    axes.set_xticks(range(len(names)), names)
    _labels(axes, "gradient by depth", "layer", "root mean square")
    axes.legend(fontsize=7, frameon=False)


def _units(axes: Axes, m: dict[str, Any]) -> None:
    stats = m["trained"]
    x = np.arange(len(stats))
    axes.bar(x - 0.2, [s.dead for s in stats], 0.4, color=_GREY, label="dead units")
    axes.bar(
        x + 0.2,
        [s.saturated for s in stats],
        0.4,
        color=_ORANGE,
        label="saturated outputs",
    )
    axes.set_ylim(0, 1.2)  # room for the legend
    axes.set_yticks([0, 0.5, 1])
    axes.set_xticks(x, [s.name.split()[0] for s in stats])
    _labels(axes, "units after training", "layer", "share")
    axes.legend(fontsize=7, frameon=False, loc="upper center", ncols=2)


def _generalisation(axes: Axes, m: dict[str, Any]) -> None:
    bars = {"training": m["training"], "held out": m["held_out"]}
    if "validation" in m:
        bars["validation"] = m["validation"]
    bars |= {f"with {name}": value for name, value in m.get("remedies", {}).items()}
    names = list(bars)[::-1]
    colors = [_BLUE if name == "training" else _ORANGE for name in names]
    axes.barh(names, [min(bars[n], 2) for n in names], color=colors, height=0.6)
    axes.tick_params(axis="y", labelsize=8)
    _labels(axes, "new rows", _SHARE, "")


def _batches(axes: Axes, m: dict[str, Any]) -> None:
    times = m["seconds_an_epoch"]
    axes.plot(list(times), list(times.values()), "o-", ms=3, color=_BLUE)
    axes.axvline(m["used"], color=_ORANGE, lw=1, label=f"used: {m['used']}")
    for key, style in (("noise_scale_at_start", "--"), ("noise_scale", ":")):
        if m[key] is not None:
            when = "at the start" if key.endswith("start") else "after training"
            label = f"gradient noise {when}: {m[key]:.0f}"
            axes.axvline(m[key], color=_GREEN, lw=1, ls=style, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(list(times), [str(size) for size in times])
    axes.set_xticks([], minor=True)
    axes.set_xlim(0.7 * min([m["used"], *times]), 1.5 * m["rows"])
    if times:  # noise of timings shall not look like a slope
        axes.set_ylim(min(times.values()) / 5, 5 * max(times.values()))
    _labels(axes, "batch size", "rows a batch", "seconds an epoch")
    axes.legend(fontsize=7, frameon=False)


_PANELS: tuple[tuple[str, Callable[[Axes, Any], None]], ...] = (
    ("training", _training),
    ("learning_rate", _rates),
    ("alternatives", _alternatives),
    ("layers", _gradients),
    ("layers", _units),
    ("generalisation", _generalisation),
    ("batch_size", _batches),
)


def _drawn(values: list[float]) -> list[float]:
    return [min(max(v, _LEAST), 10.0) for v in values]


def _labels(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
