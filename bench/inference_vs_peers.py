"""Time predictions beside onnxruntime, JAX, PyTorch and scikit-learn.

    python bench/inference_vs_peers.py                        # all, 1 and 2 threads
    python bench/inference_vs_peers.py --threads 2 --only 784-256
    python bench/inference_vs_peers.py --quick                # checks that values agree

Raw outputs of NumPy rows as a NumPy array, the same for all. Every contender has a
process of its own with the same number of threads, and takes turns with the others;
before anything is timed all must give the same outputs. Each result is merged into
``inference_vs_peers.json``, so that a run may be made in parts; the Markdown and the
picture show all that is in it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from inference_report import Entry, as_markdown, draw, merged
from peers.case import Case
from peers.race import LEAST, TURN, Racer, take_turns
from predictors import ENTRANTS, versions
from report import RESULTS, duration, machine, summary, write_json

NAME = "inference_vs_peers"
NETWORKS = ((30, 64, 32, 2), (784, 256, 128, 10), (784, 1024, 1024, 10))
ROWS = (1, 32, 1_000, 100_000)
QUICK = ((30, 64, 32, 2), (64, 128, 64, 10))
QUICK_ROWS = (1, 100)
SAME = 1e-4  # relative to the largest output


@contextmanager
def racers(threads: int) -> Iterator[dict[str, Racer]]:
    """Start a process for each contender that is installed; say which are not."""
    with ExitStack() as stack:
        started = {}
        for key, entrant in ENTRANTS.items():
            if not entrant.installed:
                print(f"{entrant.label} is not installed: skipped", file=sys.stderr)
                continue
            started[key] = Racer(entrant.module, threads)
            stack.callback(started[key].close)
        yield started


def check_agreement(outputs: dict[str, list[list[float]]]) -> None:
    """Raise AssertionError if a contender's outputs are not what the others say."""
    told = {key: np.array(rows) for key, rows in outputs.items()}
    middle = np.nanmedian(list(told.values()), axis=0)
    for key, found in told.items():
        error = np.abs(found - middle).max() / np.abs(middle).max()
        if not error <= SAME:  # a NaN is not
            raise AssertionError(
                f"{key}: outputs are {error:.2g} off the contenders' median"
            )


def race(field: dict[str, Racer], rows: int, budget: float, least: int) -> Any:
    """Check that all predict the same, then time calls in turns: seconds a call."""
    answers = {key: racer.call("outputs", rows=rows) for key, racer in field.items()}
    check_agreement(answers)
    calls = {key: calls_of_turn(racer, rows) for key, racer in field.items()}

    def turn(key: str) -> float:
        n = calls[key]
        return field[key].time("run", rows=rows, calls=n) / n

    times = take_turns(list(field), turn, budget=budget, least=least)
    return {key: vars(summary(seconds)) for key, seconds in times.items()}


def calls_of_turn(racer: Racer, rows: int) -> int:
    """Return how many calls make a turn: so many that its first weighs little."""
    seconds = racer.time("run", rows=rows, calls=2) / 2
    if seconds < TURN / 100:
        seconds = racer.time("run", rows=rows, calls=100) / 100
    return ceil(TURN / seconds)


def run(
    networks: Sequence[tuple[int, ...]],
    sizes: tuple[int, ...],
    path: Path,
    threads: int,
    *,
    budget: float,
    least: int,
) -> None:
    """Race the networks at one number of threads; keep each result at once."""
    with racers(threads) as field:
        for widths in networks:
            case = Case("inference", _label(widths), widths, 1, max(sizes))
            for racer in field.values():
                racer.build(case)
            for rows in sizes:
                entry = {
                    "network": case.label,
                    "rows": rows,
                    "threads": threads,
                    "when": time.strftime("%Y-%m-%d %H:%M"),
                    "seconds": race(field, rows, budget, least),
                }
                say(entry)
                about = {**machine(), **versions()}
                entries = merged(read(path), [entry])
                write_json(path, {"about": about, "entries": entries})


def say(entry: Entry) -> None:
    ours = entry["seconds"]["fastnn"]["median"]
    others = "  ".join(
        f"{key} {sample['median'] / ours:.2f}x"
        for key, sample in entry["seconds"].items()
        if key != "fastnn"
    )
    what = f"{entry['network']}, {entry['rows']:,} rows, {entry['threads']} threads"
    print(f"  {what:44} {duration(ours):>9}  {others}", file=sys.stderr, flush=True)


def read(path: Path) -> list[Entry]:
    if not path.exists():
        return []
    entries: list[Entry] = json.loads(path.read_text(encoding="utf-8"))["entries"]
    return entries


def write_reports(path: Path) -> str:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    report = as_markdown(content["about"], content["entries"])
    path.with_suffix(".md").write_text(report, encoding="utf-8")
    draw(path.with_suffix(".png"), content["about"], content["entries"])
    return report


def _label(widths: tuple[int, ...]) -> str:
    return "-".join(map(str, widths))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", default="", help="part of a network's name")
    parser.add_argument("--budget", type=float, default=4.0, help="seconds a race")
    parser.add_argument("--quick", action="store_true", help="small networks, few rows")
    parser.add_argument("--output", type=Path, help="default: bench/results")
    parser.add_argument("--draw", action="store_true", help="only report what is kept")
    arguments = parser.parse_args()
    output = arguments.output or (tempfile.mkdtemp() if arguments.quick else RESULTS)
    path = Path(output) / f"{NAME}.json"
    sizes = QUICK_ROWS if arguments.quick else ROWS
    budget, least = (0.0, 2) if arguments.quick else (arguments.budget, LEAST)
    networks = QUICK if arguments.quick else NETWORKS
    wanted = [widths for widths in networks if arguments.only in _label(widths)]
    for threads in () if arguments.draw else arguments.threads:
        run(wanted, sizes, path, threads, budget=budget, least=least)
    print(write_reports(path))


if __name__ == "__main__":
    main()
