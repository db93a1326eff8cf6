"""What the benchmarks share: pairwise timing, the machine, and the written results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fastnn import _native

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Sample:
    """Seconds a call: the median and the quartiles of the repetitions."""

    median: float
    low: float
    high: float


def _seconds(call: Callable[[], object], repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def time_in_turns(
    calls: Sequence[Callable[[], object]],
    *,
    budget: float,
    least: int = 5,
    most: int = 101,
    rest: float = 0.0,
) -> list[Sample]:
    """Time the calls one after another, again and again, for about `budget` seconds.

    Taking turns lets a slower or busier moment of the machine strike all of them. Calls
    of less than 0.2 ms are timed in loops of that length. `rest` seconds pass before
    each turn: threads of a BLAS spin for a while after their work, and would take a
    processor from the next.
    """
    loops = []
    for call in calls:
        call()  # warm: caches, lazy set-up
        loops.append(max(1, int(2e-4 / max(_seconds(call, 1), 1e-9))))
    seen: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + budget
    while len(seen[0]) < least or (time.perf_counter() < end and len(seen[0]) < most):
        for times, call, repeat in zip(seen, calls, loops, strict=True):
            time.sleep(rest)
            times.append(_seconds(call, repeat))
    return [summary(times) for times in seen]


def summary(times: Sequence[float]) -> Sample:
    low, median, high = statistics.quantiles(times, n=4)
    return Sample(median, low, high)


def machine() -> dict[str, Any]:
    """Describe what the figures depend on: processor, versions, commit."""
    return {
        "processor": _processor(),
        "processors usable": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": _blas(),
        "fastnn": _native.core.__version__,
        "level": _native.level,
        "eigen": _native.core.eigen_version,
        "commit": _commit(),
    }


def _processor() -> str:
    """Return the processor's model, told apart by family where the name is vague."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    family = f"family {fields.get('cpu family')}, model {fields.get('model')}"
    return f"{fields.get('model name', platform.machine())} ({family})"


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def _commit() -> str:
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"


def limited_to(n_threads: int) -> dict[str, str]:
    """Return an environment in which fastnn and NumPy's BLAS take so many threads."""
    names = (
        "FASTNN_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
    return {**os.environ, **dict.fromkeys(names, str(n_threads))}


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns line up in the source as well."""
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(n) for cell, n in zip(cells, widths, strict=True))
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (n + 2) for n in widths) + "|"
    return "\n".join([line(table[0]), rule, *map(line, table[1:])]) + "\n"


def duration(seconds: float) -> str:
    """Return 1.23 us, 45.6 ms, ... with three digits."""
    for unit, scale in (("us", 1e6), ("ms", 1e3), ("s", 1.0)):
        value = seconds * scale
        if value < 1000 or unit == "s":
            digits = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:.{digits}f} {unit}"
    raise AssertionError(seconds)


def heat_map(
    path: Path,
    title: str,
    panels: dict[str, dict[str, list[float]]],
    steps: Sequence[str],
    threads: Sequence[int],
    notes: Sequence[str],
) -> None:
    """Draw ratios as coloured cells: green above 1, red below, darker where farther.

    `panels` gives for each group and kernel the ratios of all steps, thread by thread.
    """
    columns = [panels_of for panels_of in panels.items() if panels_of[1]]
    tallest = max(len(rows) for _, rows in columns)
    size = (4.9 * len(columns), 0.27 * tallest + 2.0)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, len(columns), squeeze=False)
    for axis, (group, rows) in zip(axes[0], columns, strict=True):
        _heat_panel(axis, group, rows, steps, threads, tallest)
    figure.suptitle(title, fontsize=13)
    figure.supxlabel("\n".join(notes), fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _heat_panel(
    axis: Any,
    group: str,
    rows: dict[str, list[float]],
    steps: Sequence[str],
    threads: Sequence[int],
    tallest: int,
) -> None:
    values = np.array(list(rows.values()))
    axis.imshow(np.log2(values), cmap="RdYlGn", vmin=-3, vmax=3, aspect="auto")
    for (i, j), ratio in np.ndenumerate(values):
        text = f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"
        ink = "white" if abs(np.log2(ratio)) > 2.3 else "black"
        axis.text(j, i, text, ha="center", va="center", fontsize=8, color=ink)
    axis.set_title(group, fontsize=11, fontweight="bold")
    axis.set_yticks(range(len(rows)), list(rows), fontsize=8)
    ticks = [f"{step}" for _ in threads for step in steps]
    axis.set_xticks(range(len(ticks)), ticks, fontsize=8, rotation=90)
    axis.xaxis.tick_bottom()
    axis.set_ylim(tallest - 0.5, -1.3)
    for k, n in enumerate(threads):
        middle = (k + 0.5) * len(steps) - 0.5
        name = "1 thread" if n == 1 else f"{n} threads"
        axis.text(middle, -0.85, name, ha="center", va="center", fontsize=9)
        if k:
            axis.axvline(k * len(steps) - 0.5, color="black", linewidth=1)
    axis.spines[:].set_visible(False)
