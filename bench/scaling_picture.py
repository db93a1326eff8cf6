"""The picture of the scaling study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from scaling_cases import TARGETS, Net
from scaling_report import CORES, MORE_ROWS, WITHIN, Measured, Study

COLOURS = {1: "tab:blue", 2: "tab:orange"}
SECONDS = FuncFormatter(lambda seconds, _: _short(seconds))
X_OF: dict[str, tuple[str, Callable[[Net], float]]] = {
    "batch": ("rows of a batch", lambda net: net.batch),
    "width": ("width of 3 hidden layers", lambda net: net.widths[1]),
    "depth": ("hidden layers of 128", lambda net: len(net.widths) - 2),
    "rows": ("rows of data", lambda net: net.rows),
}


def draw(path: Path, about: dict[str, Any], study: Study) -> None:
    """Draw the sweeps, how well the model predicts, and what it says of more cores."""
    figure = Figure(figsize=(15, 8.6), layout="constrained")
    axes = iter(figure.subplots(2, 3).flat)
    for name in X_OF:
        if name in study.sweeps:
            _sweep(next(axes), name, study, study.sweeps[name])
    _errors(next(axes), study)
    _cores(next(axes), study)
    for unused in axes:
        unused.set_visible(False)
    figure.suptitle("A training step of fastnn: measured and predicted", fontsize=14)
    note = f"{about['processor']}, fastnn {about['fastnn']}, level {about['level']}, "
    note += "float32, Adam, cross-entropy; bars: quartiles"
    figure.supxlabel(note, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _sweep(axis: Any, name: str, study: Study, measured: Measured) -> None:
    label, x_of = X_OF[name]
    x = [x_of(net) for net in measured]
    for n in next(iter(measured.values())):
        samples = [per_thread[n] for per_thread in measured.values()]
        middle = [sample.median for sample in samples]
        spread = [
            [sample.median - sample.low for sample in samples],
            [sample.high - sample.median for sample in samples],
        ]
        colour = COLOURS.get(n, "black")
        threads = f"{n} thread{'s' if n > 1 else ''}"
        axis.errorbar(x, middle, spread, fmt="o", color=colour, label=threads)
        predicted = [study.model.predict(net, n).seconds for net in measured]
        axis.plot(x, predicted, color=colour, linewidth=1, alpha=0.8)
    example = next(reversed(measured)).label.partition(", ")[0]
    fixed = {
        "batch": example,
        "width": "64-width x3-10, batch 128",
        "depth": "64-128 x depth-10, batch 128",
        "rows": f"{example}, batch 128",
    }
    axis.set_title(f"{name}: {fixed[name]}", fontsize=10)
    axis.set_xlabel(label)
    axis.set_ylabel("time of a step (lines: predicted)")
    _log_axes(axis, x)
    axis.legend(frameon=False)


def _short(seconds: float) -> str:
    """Return 5 us, 20 ms, ... for a tick."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:g} us"
    return f"{seconds * 1e3:g} ms" if seconds < 1 else f"{seconds:g} s"


def _log_axes(axis: Any, x: list[float]) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(x, [f"{v:,.0f}" for v in x])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(SECONDS)
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, high / 20), max(high, low * 20))
    axis.grid(alpha=0.25)


def _errors(axis: Any, study: Study) -> None:
    axis.axhspan(1 - WITHIN, 1 + WITHIN, color="tab:green", alpha=0.12)
    axis.axhline(1, color="grey", linewidth=0.8)
    for measured, filled in ((study.calibration, False), (study.held_out(), True)):
        for net, n, ratio in study.errors(measured):
            colour = COLOURS.get(n, "black")
            face = colour if filled else "none"
            axis.plot(
                measured[net][n].median, ratio, "o", color=colour, markerfacecolor=face
            )
    good = sum(count[0] for count in study.within().values())
    total = sum(count[1] for count in study.within().values())
    axis.set_title(
        f"{good} of {total} predictions within {WITHIN:.0%} (rings: calibration)",
        fontsize=10,
    )
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(SECONDS)
    axis.set_xlabel("measured time of a step")
    axis.set_ylabel("predicted / measured")
    axis.set_ylim(0.4, 1.6)
    axis.grid(alpha=0.25)


def _cores(axis: Any, study: Study) -> None:
    model = study.on_many_cores()
    axis.plot(CORES, CORES, color="grey", linewidth=0.8, linestyle=":")
    for i, net in enumerate(MORE_ROWS):
        seconds = [model.predict(net, n).seconds for n in CORES]
        faster = [seconds[0] / s for s in seconds]
        style = "-" if net in TARGETS else "--"
        axis.plot(CORES, faster, style, color=f"C{i}", marker=".", label=net.label)
    axis.set_title("PREDICTED speed-up on more cores, not measured", fontsize=10)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    for ticks in (axis.xaxis, axis.yaxis):
        ticks.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_xticks(CORES)
    axis.set_xlabel("cores")
    axis.set_ylabel("times faster than one core")
    axis.legend(frameon=False, fontsize=7, loc="upper left")
    axis.grid(alpha=0.25)
