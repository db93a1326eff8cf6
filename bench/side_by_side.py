"""Ten small networks beside one another, against one: time the threads of the recipes.

    python bench/side_by_side.py                      # 2 threads
    python bench/side_by_side.py --quick              # does it run, and agree?

One network trains on one thread; ten do so as an `Ensemble`, as many at a time as there
are threads. Both take turns. A turn in which other processes took a processor (as
/proc/stat tells) is made again while patience lasts; what counts is the median of the
ratios. On p processors ten networks take ten p-ths of one's time at best. Writes
``side_by_side.json`` and ``.md`` to ``bench/results``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from report import RESULTS, duration, machine, markdown_table, summary, write_json

import fastnn as fnn

NAME = "side_by_side"
MEMBERS = 10
STAT = Path("/proc/stat")
FOREIGN = 0.05  # of the time of a turn, by others: it is disturbed
LEAST = 5  # undisturbed turns to count on them alone
GLANCE = 0.05  # seconds to see whether processors are free


@dataclass(frozen=True)
class Case:
    """A network of these widths and what it trains on."""

    widths: tuple[int, ...]
    rows: int
    epochs: int
    batch: int = 128

    @property
    def label(self) -> str:
        return f"{'-'.join(map(str, self.widths))}, {self.rows:,} rows"

    def network(self) -> fnn.Sequential:
        hidden = [fnn.Dense(width, "relu") for width in self.widths[1:-1]]
        return fnn.Sequential(*hidden, fnn.Dense(self.widths[-1]))

    def data(self) -> tuple[Any, Any]:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.rows, self.widths[0])).astype(np.float32)
        return X, np.argmax(X[:, : self.widths[-1]], axis=1)


CASES = (
    Case((20, 32, 3), 1_000, 200),
    Case((20, 64, 32, 3), 2_000, 50),
    Case((64, 64, 10), 2_000, 50),
    Case((100, 128, 64, 10), 5_000, 5),
    Case((784, 128, 10), 2_000, 5),
)
QUICK = (Case((20, 32, 3), 200, 3),)


@dataclass(frozen=True)
class Pair:
    """The calls that are compared: one network, and ten."""

    one: Callable[[], object]
    ten: Callable[[], object]


def pair_of(case: Case, threads: int) -> Pair:
    """Return the calls, after a look whether the ten are what each is alone."""
    X, y = case.data()
    options: dict[str, Any] = {"epochs": case.epochs, "batch_size": case.batch}
    ensemble = fnn.Ensemble(case.network(), MEMBERS)
    single = ensemble.members[-1].copy()
    single.fit(X, y, n_threads=1, **options)
    ensemble.fit(X, y, n_threads=threads, **options)
    last = ensemble.members[-1]
    assert (last.predict(X) == single.predict(X)).all(), "a member is not itself"

    def one() -> None:
        case.network().fit(X, y, n_threads=1, **options)

    def ten() -> None:
        fnn.Ensemble(case.network(), MEMBERS).fit(X, y, n_threads=threads, **options)

    return Pair(one, ten)


@dataclass(frozen=True)
class Turn:
    """Seconds of one network and of ten, one after the other."""

    one: float
    ten: float
    work_one: float  # seconds of processors
    work_ten: float
    foreign: float  # part of the processors' time that others took


def measure(case: Case, threads: int, turns: int, patience: float) -> dict[str, Any]:
    """Let both take turns until enough were undisturbed, or `patience` seconds end."""
    pair = pair_of(case, threads)
    end = time.monotonic() + patience
    good: list[Turn] = []
    disturbed: list[Turn] = []
    while len(good) < turns and (time.monotonic() < end or len(disturbed) < turns):
        while not processors_are_free() and time.monotonic() < end:
            pass
        turn = take_turn(pair)
        (good if turn.foreign < FOREIGN else disturbed).append(turn)
    used = good if len(good) >= min(turns, LEAST) else good + disturbed
    result = {
        "case": case.label,
        "epochs": case.epochs,
        "one": vars(summary([turn.one for turn in used])),
        "ten": vars(summary([turn.ten for turn in used])),
        "ratio": vars(summary([turn.ten / turn.one for turn in used])),
        "work": vars(summary([turn.work_ten / turn.work_one for turn in used])),
        "turns": len(used),
        "disturbed": used is not good,
    }
    print(
        f"  {case.label:32} {duration(result['one']['median']):>9} "
        f"{duration(result['ten']['median']):>9} {result['ratio']['median']:6.2f}"
        f"{'  disturbed' if result['disturbed'] else ''}",
        file=sys.stderr,
        flush=True,
    )
    return result


def take_turn(pair: Pair) -> Turn:
    begin = busy_seconds()
    one, work_one = _seconds(pair.one)
    ten, work_ten = _seconds(pair.ten)
    foreign = busy_seconds() - begin - work_one - work_ten
    return Turn(one, ten, work_one, work_ten, foreign / (one + ten))


def processors_are_free() -> bool:
    """Look for a moment whether others leave the processors alone."""
    begin, start = busy_seconds() - time.process_time(), time.perf_counter()
    time.sleep(GLANCE)
    foreign = busy_seconds() - time.process_time() - begin
    return foreign < 0.2 * (time.perf_counter() - start)


def busy_seconds() -> float:
    """Return the seconds that all processors worked, or were kept from it, so far."""
    if not STAT.exists():
        return time.process_time()  # as if we were alone
    words = STAT.read_text().split("\n", 1)[0].split()[1:9]
    idle, waiting = 3, 4
    ticks = sum(int(word) for i, word in enumerate(words) if i not in (idle, waiting))
    return ticks / os.sysconf("SC_CLK_TCK")


def _seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a call, and those that processors worked for it."""
    start, work = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - work


def as_markdown(about: dict[str, Any], threads: int, results: list[Any]) -> str:
    text = "# Ten small networks side by side\n\n"
    text += f"Time of an `Ensemble` of {MEMBERS} on {threads} threads, of one network "
    text += "on one thread, and their ratio: medians and quartiles of turns that other "
    text += (
        f"processes did not disturb. {MEMBERS / threads:g} would be perfect. Work is "
    )
    text += "the ratio of the processors' time.\n\n"
    text += "".join(f"* {key}: {value}\n" for key, value in about.items())
    header = ["network", "epochs", "one", f"{MEMBERS}", "ratio", "quartiles", "work"]
    header += ["turns"]
    rows = [
        [
            result["case"],
            str(result["epochs"]),
            duration(result["one"]["median"]),
            duration(result["ten"]["median"]),
            f"{result['ratio']['median']:.2f}",
            f"{result['ratio']['low']:.2f} to {result['ratio']['high']:.2f}",
            f"{result['work']['median']:.2f}",
            f"{result['turns']}{', disturbed' if result['disturbed'] else ''}",
        ]
        for result in results
    ]
    return f"{text}\n{markdown_table(header, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--patience", type=float, default=60, help="seconds a network")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, help="default: bench/results")
    arguments = parser.parse_args()
    quick = arguments.quick
    output = Path(arguments.output or (tempfile.mkdtemp() if quick else RESULTS))
    turns, patience = (2, 0.0) if quick else (arguments.turns, arguments.patience)
    results = [
        measure(case, arguments.threads, turns, patience)
        for case in (QUICK if quick else CASES)
    ]
    about = machine()
    write_json(output / f"{NAME}.json", {"about": about, "results": results})
    report = as_markdown(about, arguments.threads, results)
    (output / f"{NAME}.md").write_text(report, encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
