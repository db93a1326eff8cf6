"""Time from first weights to a goal: digits recognised, delays of flights predicted.

    python bench/time_to_accuracy.py                  # both, 2 threads, 5 seeds
    python bench/time_to_accuracy.py --only flights --seeds 3
    python bench/time_to_accuracy.py --quick          # do all get anywhere?

All contenders have one recipe: network, initial weights by seed, batch, Adam, learning
rate, rows in a new random order each epoch (everybody's own generator draws it).
The clock runs while they train, not while the held-back rows are scored after each
epoch. Starting is measured apart: what the first epoch of a process takes more than the
next ones, which in JAX and torch.compile is compiling.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from peers import ENTRANTS, versions
from peers.case import Case
from peers.race import REST, Racer, agree, racers
from report import RESULTS, duration, machine, markdown_table, write_json

NAME = "time_to_accuracy"


@dataclass(frozen=True)
class Goal:
    """A recipe, and the score on held-back rows at which the clock stops."""

    case: Case
    score: float  # accuracy to reach, or squared error to come down to
    epochs: int  # after which a contender is given up

    def reached(self, score: float) -> bool:
        if self.case.loss == "mse":
            return score <= self.score
        return score >= self.score

    @property
    def words(self) -> str:
        what = "squared error" if self.case.loss == "mse" else "accuracy"
        return f"{self.case.label}: {what} {self.score:g}"


MNIST = Case(
    *("digits", "5,000 digits of MNIST", (784, 256, 128, 10), 100),
    rows=20_000,
    lr=5e-4,
    data="mnist",
)
FLIGHTS = Case(
    *("flights", "336,776 flights, delay at arrival", (149, 128, 64, 1), 256),
    rows=294_912,
    loss="mse",
    data="flights",
)
GOALS = (Goal(MNIST, 0.95, 30), Goal(FLIGHTS, 0.105, 20))
QUICK = (
    Goal(replace(MNIST, rows=4000), 0.7, 3),
    Goal(replace(FLIGHTS, rows=10_240), 0.5, 6),
)


@dataclass(frozen=True)
class Run:
    """One training: seconds of all its epochs, and the score after the last."""

    seconds: float
    epochs: int
    score: float
    reached: bool


def seconds_starting(racer: Racer, case: Case) -> float:
    """Seconds that the first epoch of a process takes beyond the next ones."""
    racer.build(case)
    first, *later = [racer.time("epochs", n=1) for _ in range(4)]
    return max(0.0, first - statistics.median(later))


def train(racer: Racer, goal: Goal, seed: int) -> Run:
    """Train from the seed's weights until the goal is reached."""
    racer.call("reset", seed=seed)
    seconds, score = 0.0, float("nan")
    for epoch in range(1, goal.epochs + 1):
        time.sleep(REST)  # threads that scored come to rest
        seconds += racer.time("epochs", n=1)
        score = racer.call("score")
        if goal.reached(score):
            return Run(seconds, epoch, score, reached=True)
    return Run(seconds, goal.epochs, score, reached=False)


def measure(goal: Goal, field: dict[str, Racer], seeds: int) -> dict[str, Any]:
    """Let all train from each seed, one after the other."""
    starting = {key: seconds_starting(racer, goal.case) for key, racer in field.items()}
    agree(goal.case, field)  # builds anew
    for racer in field.values():
        racer.time("epochs", n=1)
    runs: dict[str, list[Run]] = {key: [] for key in field}
    for seed in range(seeds):
        for key, racer in field.items():
            runs[key].append(train(racer, goal, seed))
            _say(goal, key, runs[key][-1])
    return {
        "goal": goal.words,
        "case": goal.case.to_json(),
        "contenders": {
            key: {"starting": starting[key], "runs": [vars(run) for run in some]}
            for key, some in runs.items()
        },
    }


def _say(goal: Goal, key: str, run: Run) -> None:
    end = "reached" if run.reached else "NOT reached"
    print(
        f"  {goal.words:44} {key:9} {duration(run.seconds):>9} {run.epochs:3} epochs "
        f"{run.score:.4f} {end}",
        file=sys.stderr,
        flush=True,
    )


def as_markdown(about: dict[str, Any], results: list[dict[str, Any]]) -> str:
    text = "# Time to accuracy\n\nSame recipe for all; medians over the seeds.\n"
    text += (
        "Starting, once in a process, is what its first epoch takes beyond the next "
    )
    text += "ones: compiling, in JAX and torch.compile.\n\n"
    text += "".join(f"* {key}: {value}\n" for key, value in about.items())
    for result in results:
        case = Case.from_json(result["case"])
        widths = "-".join(map(str, case.widths))
        text += f"\n## {result['goal']}\n\n{widths}, batch {case.batch}, Adam, "
        text += f"learning rate {case.lr:g}, {case.rows:,} rows an epoch\n\n"
        header = ["contender", "training", "all seeds", "of fastnn's", "epochs"]
        header += ["an epoch", "starting", "with it"]
        text += markdown_table(header, _rows(result["contenders"]))
    return text


def _rows(contenders: dict[str, Any]) -> list[list[str]]:
    ours = _median_seconds(contenders["fastnn"])
    return [_row(key, told, ours) for key, told in contenders.items()]


def _median_seconds(told: dict[str, Any]) -> float:
    return float(statistics.median(run["seconds"] for run in told["runs"]))


def _row(key: str, told: dict[str, Any], ours: float) -> list[str]:
    runs, middle = told["runs"], _median_seconds(told)
    seconds = sorted(run["seconds"] for run in runs)
    an_epoch = statistics.median(run["seconds"] / run["epochs"] for run in runs)
    missed = sum(not run["reached"] for run in runs)
    epochs = f"{statistics.median(run['epochs'] for run in runs):g}"
    return [
        ENTRANTS[key].label,
        duration(middle) + (f", {missed} of {len(runs)} missed" if missed else ""),
        f"{duration(seconds[0])} to {duration(seconds[-1])}",
        f"{middle / ours:.2f}x",
        epochs,
        duration(an_epoch),
        duration(told["starting"]) if told["starting"] > 1e-3 else "",
        duration(middle + told["starting"]),
    ]


def check(results: list[dict[str, Any]]) -> None:
    """Assert that everybody reached the (easy) goals of the quick run."""
    for result in results:
        for key, told in result["contenders"].items():
            assert all(run["reached"] for run in told["runs"]), (result["goal"], key)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="digits or flights")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, easy goals")
    parser.add_argument("--output", type=Path, help="default: bench/results")
    arguments = parser.parse_args()
    known = QUICK if arguments.quick else GOALS
    goals = [goal for goal in known if arguments.only in goal.case.group]
    output = arguments.output or (tempfile.mkdtemp() if arguments.quick else RESULTS)
    os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # or an earlier run helps
    seeds = 1 if arguments.quick else arguments.seeds
    keys = [key for key in ENTRANTS if not (arguments.quick and key == "compiled")]
    with racers(keys, arguments.threads) as field:
        fresh = [measure(goal, field, seeds) for goal in goals]
    if arguments.quick:
        check(fresh)
    path = Path(output) / f"{NAME}.json"
    results = merged(path, fresh)
    about = {**machine(), **versions(), "threads": arguments.threads}
    write_json(path, {"about": about, "results": results})
    report = as_markdown(about, results)
    path.with_suffix(".md").write_text(report, encoding="utf-8")
    print(report)


def merged(path: Path, fresh: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is kept, fresh results of a goal in place of the old, in order."""
    kept = json.loads(path.read_text("utf-8"))["results"] if path.exists() else []
    results = {result["goal"]: result for result in (*kept, *fresh)}
    order = [goal.words for goal in GOALS if goal.words in results]
    return [results.pop(words) for words in order] + list(results.values())


if __name__ == "__main__":
    main()
