"""The curves of the demo, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastnn.demo.experiment import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_TRAIN, _VALIDATION, _GREY = "#3b6fb6", "#e07b39", "#8a8a8a"


def draw(results: Sequence[Result], path: Path) -> None:
    """Write one row of axes per task: loss, accuracy and time."""
    # Figure, not pyplot: no window, no global state, whatever the user's backend.
    from matplotlib.figure import Figure  # noqa: PLC0415  (an optional package)

    figure = Figure(figsize=(11, 3.2 * len(results)), layout="constrained")
    grid: Any = figure.subplots(
        len(results), 3, squeeze=False, width_ratios=(1.0, 1.0, 0.7)
    )
    for (loss, accuracy, time), result in zip(grid, results, strict=True):
        _curves(loss, result, "loss", 1)
        loss.set_yscale("log")
        loss.legend(frameon=False, fontsize="small")
        loss.set_title(result.task.title, loc="left")
        _curves(accuracy, result, "accuracy", 100)
        accuracy.set_ylabel("accuracy (%)")
        test = 100 * result.scores["test"]["accuracy"]
        accuracy.set_title(f"test accuracy {test:.1f} %", loc="left")
        _bars(time, result)
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _curves(axes: Axes, result: Result, key: str, scale: float) -> None:
    history = result.history
    epochs = [epoch + 1 for epoch in history.epoch]
    for name, label, color in (
        (key, "train, with dropout", _TRAIN),
        (f"val_{key}", "validation", _VALIDATION),
    ):
        values = [scale * value for value in history.history[name]]
        axes.plot(epochs, values, color=color, label=label)
    axes.axvline(history.best_epoch + 1, color=_GREY, linestyle=":", label="best epoch")
    axes.set_xlabel("epoch")
    axes.set_ylabel(key)
    axes.grid(axis="y", alpha=0.25)


def _bars(axes: Axes, result: Result) -> None:
    times = [1e3 * result.numpy_epoch_seconds, 1e3 * result.epoch_seconds]
    bars = axes.barh(("NumPy", "fastnn"), times, color=(_GREY, _TRAIN), height=0.5)
    axes.bar_label(bars, labels=[f"{value:.1f}" for value in times], padding=4)
    axes.margins(x=0.2)
    axes.set_xlabel("milliseconds, fastest epoch")
    axes.set_title(f"NumPy: {result.speedup:.1f} times as long", loc="left")
