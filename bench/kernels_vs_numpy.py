"""Time every kernel and optimizer beside its NumPy twin, from L1 to memory.

    python bench/kernels_vs_numpy.py                  # all, float32, 1 and 2 threads
    python bench/kernels_vs_numpy.py --dtype float64 --only dense
    python bench/kernels_vs_numpy.py --quick          # checks that values agree

Both contenders run in one process for each number of threads, in turns, on the same
arrays, and allocate their results. Before anything is timed their results are compared.
Writes ``kernels.json``, ``kernels.md`` and ``kernels.png`` (names of other dtypes have
theirs in them) to ``bench/results``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from kernel_cases import CASES, ELEMENTS, STEPS, Case
from report import (
    RESULTS,
    Sample,
    duration,
    heat_map,
    limited_to,
    machine,
    markdown_table,
    time_in_turns,
    write_json,
)
from training_step import training_step

Row = dict[str, Any]


def measure(case: Case, step: str, dtype: type, budget: float) -> Row:
    """Check one kernel on one size, then time both contenders."""
    work = case.make(np.random.default_rng(0), step, dtype)
    case.check(work, dtype)
    ours, theirs = time_in_turns(case.calls(work), budget=budget, least=3)
    return {
        "group": case.group,
        "label": case.label,
        "function": case.function,
        "step": step,
        "shape": list(work.shape),
        "rate": work.amount / ours.median / 1e9,
        "unit": work.unit,
        **_timings(ours, theirs),
    }


def _timings(ours: Sample, theirs: Sample) -> Row:
    return {
        "fastnn": vars(ours),
        "numpy": vars(theirs),
        "ratio": theirs.median / ours.median,
    }


def measure_all(
    only: str, steps: tuple[str, ...], dtype: type, budget: float
) -> list[Row]:
    """Run in this process, with the threads that its environment allows."""
    rows = []
    for case in CASES:
        if only not in f"{case.group} {case.label}":
            continue
        for step in steps:
            rows.append(measure(case, step, dtype, budget))
            _say(rows[-1])
    if only in "training step":
        ours, theirs, shape = training_step(dtype, budget=20 * budget)
        rows.append(
            {
                "group": "training",
                "label": "training step",
                "step": "784-256-128-10, batch 128",
                **shape,
                **_timings(ours, theirs),
            }
        )
        _say(rows[-1])
    return rows


def _say(row: Row) -> None:
    ours, theirs = (duration(row[who]["median"]) for who in ("fastnn", "numpy"))
    print(
        f"  {row['group']:20} {row['label']:34} {row['step']:8} "
        f"{ours:>9} {theirs:>9} {row['ratio']:7.2f}x {row['rate']:7.1f} {row['unit']}",
        file=sys.stderr,
        flush=True,
    )


def run_child(threads: int, arguments: argparse.Namespace) -> list[Row]:
    """Measure in a process of its own, as BLAS reads its threads when it is loaded."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child"]
    command += ["--dtype", arguments.dtype, "--only", arguments.only]
    command += ["--budget", str(arguments.budget)]
    if arguments.quick:
        command.append("--quick")
    done = subprocess.run(
        command, env=limited_to(threads), stdout=subprocess.PIPE, check=True
    )
    rows: list[Row] = json.loads(done.stdout)
    for row in rows:
        row["threads"] = threads
    return rows


def as_markdown(about: dict[str, Any], rows: list[Row]) -> str:
    """Return the report: the machine, who is behind, and a table for each group."""
    behind = [r for r in rows if r["ratio"] < 1]
    text = "# Kernels beside NumPy\n\n"
    text += "Medians of one run, contenders in turns. Written by "
    text += "`python bench/kernels_vs_numpy.py`.\n\n"
    text += "".join(f"* {key}: {value}\n" for key, value in about.items())
    text += (
        f"\n{len(rows) - len(behind)} of {len(rows)} measurements are ahead of NumPy"
    )
    text += ".\n" if not behind else "; behind are\n\n"
    text += "".join(
        f"* {r['label']} ({r['group']}, {r['step']}, {r['threads']} thread"
        f"{'s' if r['threads'] > 1 else ''}): {r['ratio']:.2f}x\n"
        for r in behind
    )
    header = ("kernel", "size", "shape", "threads", "fastnn", "NumPy", "ratio", "rate")
    for group in dict.fromkeys(r["group"] for r in rows):
        lines = [
            (
                r["label"],
                r["step"],
                " x ".join(map(str, r["shape"])),
                str(r["threads"]),
                duration(r["fastnn"]["median"]),
                duration(r["numpy"]["median"]),
                f"{r['ratio']:.2f}",
                f"{r['rate']:.1f} {r['unit']}",
            )
            for r in rows
            if r["group"] == group
        ]
        text += f"\n## {group.capitalize()}\n\n" + markdown_table(header, lines)
    return text


def draw(path: Path, about: dict[str, Any], rows: list[Row]) -> None:
    """Draw the ratios: a panel for each group, a column for each size and thread."""
    threads = sorted({r["threads"] for r in rows})
    steps = [s for s in STEPS if any(r["step"] == s for r in rows)]
    panels: dict[str, dict[str, list[float]]] = {}
    for group in dict.fromkeys(r["group"] for r in rows if r["group"] != "training"):
        ratios: dict[str, list[float]] = {}
        for r in rows:
            if r["group"] == group:
                ratios.setdefault(r["label"], []).append(r["ratio"])
        panels[group] = ratios
    notes = [
        f"training step {r['step']}, {r['threads']} thread"
        f"{'s' if r['threads'] > 1 else ''}: {duration(r['fastnn']['median'])}, "
        f"NumPy {duration(r['numpy']['median'])}, {r['ratio']:.1f}x"
        for r in rows
        if r["group"] == "training"
    ]
    title = (
        f"fastnn's kernels beside NumPy {about['numpy']}: times faster "
        f"({about['dtype']}, level {about['level']}, one process, in turns)"
    )
    sizes = ", ".join(f"{s} {ELEMENTS[s]}" for s in steps)
    heat_map(path, title, panels, steps, threads, [*notes, f"elements: {sizes}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", default="", help="part of a group's or kernel's name")
    parser.add_argument("--budget", type=float, default=0.1, help="seconds a row")
    parser.add_argument("--quick", action="store_true", help="small sizes, few samples")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    dtype = np.float32 if arguments.dtype == "float32" else np.float64
    steps, budget = (STEPS[:2], 0.003) if arguments.quick else (STEPS, arguments.budget)
    if arguments.child:
        json.dump(measure_all(arguments.only, steps, dtype, budget), sys.stdout)
        return
    rows = []
    for threads in arguments.threads:
        print(f"{threads} thread(s)", file=sys.stderr)
        rows += run_child(threads, arguments)
    about = {**machine(), "dtype": arguments.dtype}
    name = "kernels" if arguments.dtype == "float32" else f"kernels-{arguments.dtype}"
    write_json(arguments.output / f"{name}.json", {"about": about, "rows": rows})
    report = as_markdown(about, rows)
    (arguments.output / f"{name}.md").write_text(report, encoding="utf-8")
    if any(r["group"] != "training" for r in rows):
        draw(arguments.output / f"{name}.png", about, rows)
    print(report)


if __name__ == "__main__":
    main()
