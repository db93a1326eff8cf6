"""Time training steps beside PyTorch, JAX, scikit-learn and NumPy.

    python bench/training_vs_peers.py                        # all, 1 and 2 threads
    python bench/training_vs_peers.py --threads 2 --only networks
    python bench/training_vs_peers.py --only "width: 64" batch
    python bench/training_vs_peers.py --quick                # checks that values agree

Every contender has a process of its own with the same number of threads, and takes
turns with the others. Before anything is timed, one step from the same weights must
give the same losses. Each case's result is merged into ``training_vs_peers.json`` as
soon as it is there, so that a run may be made in parts; the Markdown and the picture
show all that is in it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ceilings import fma_peak, stream_bandwidth
from peers import versions
from peers.case import Case
from peers.race import LEAST, REST, Racer, race, racers
from report import RESULTS, duration, machine, write_json
from training_cases import ALL, CASES, QUICK, contenders_of
from training_picture import draw
from training_report import Entry, as_markdown, merged

NAME = "training_vs_peers"


def measure(
    case: Case, field: dict[str, Racer], threads: int, *, budget: float, least: int
) -> Entry:
    """Race one case, and take the machine's ceilings before and after, the higher."""
    field = {key: field[key] for key in contenders_of(case) if key in field}
    before = ceilings(threads, case.dtype)
    seconds = race(case, field, budget=budget, least=least)
    time.sleep(REST)
    after = ceilings(threads, case.dtype)
    return {
        "case": case.to_json(),
        "threads": threads,
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "seconds": {key: vars(sample) for key, sample in seconds.items()},
        "flops": case.flops,
        "fma_peak": max(before[0], after[0]),
        "bandwidth": max(before[1], after[1]),
    }


def ceilings(threads: int, dtype: str) -> tuple[float, float]:
    """FLOP/s of multiply-adds in registers, bytes/s of arrays in memory."""
    return fma_peak(threads, dtype), stream_bandwidth(threads)


def say(entry: Entry) -> None:
    case = Case.from_json(entry["case"])
    ours = entry["seconds"]["fastnn"]["median"]
    others = "  ".join(
        f"{key} {sample['median'] / ours:.2f}x"
        for key, sample in entry["seconds"].items()
        if key != "fastnn"
    )
    share = case.flops / ours / entry["fma_peak"]
    print(
        f"  {case.key:36} {duration(ours):>9}  {others}  {share:.0%} of FMA peak",
        file=sys.stderr,
        flush=True,
    )


def run(
    cases: list[Case], path: Path, threads: int, *, budget: float, least: int
) -> None:
    """Race the cases at one number of threads; keep each result at once."""
    print(f"{threads} thread{'s' * (threads > 1)}", file=sys.stderr)
    wanted = [key for key in ALL if any(key in contenders_of(case) for case in cases)]
    with racers(wanted, threads) as field:
        for case in cases:
            entry = measure(case, field, threads, budget=budget, least=least)
            say(entry)
            kept = read(path)
            about = {**machine(), **versions()}
            content = {"about": about, "entries": merged(kept, [entry])}
            write_json(path, content)


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


def chosen(cases: tuple[Case, ...], only: list[str]) -> list[Case]:
    found = [case for case in cases if any(part in case.key for part in only)]
    if not found:
        known = ", ".join(case.key for case in cases)
        raise SystemExit(f"--only {' '.join(only)}: no such case; there are {known}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", help="default: 1 2")
    parser.add_argument("--only", nargs="+", default=[""], help="parts of cases' names")
    parser.add_argument("--budget", type=float, default=4.0, help="seconds a case")
    parser.add_argument("--quick", action="store_true", help="tiny networks, few turns")
    parser.add_argument("--output", type=Path, help="default: bench/results")
    parser.add_argument("--draw", action="store_true", help="only report what is kept")
    arguments = parser.parse_args()
    output = arguments.output or (tempfile.mkdtemp() if arguments.quick else RESULTS)
    path = Path(output) / f"{NAME}.json"
    budget, least = (0.0, 2) if arguments.quick else (arguments.budget, LEAST)
    all_threads = arguments.threads or ([2] if arguments.quick else [1, 2])
    cases = chosen(QUICK if arguments.quick else CASES, arguments.only)
    for threads in () if arguments.draw else all_threads:
        run(cases, path, threads, budget=budget, least=least)
    print(write_reports(path))


if __name__ == "__main__":
    main()
