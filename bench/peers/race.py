"""Races: contenders in processes of their own, compared in value, timed in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import ceil, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import Sample, limited_to, summary

from peers import ENTRANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from peers.case import Case

BENCH = Path(__file__).resolve().parents[1]
REST = 0.1  # seconds before each turn, in which threads of the last one come to rest
TURN = 0.06  # seconds of a turn, at least
LEAST, MOST = 5, 41  # turns of each contender
# Relative differences of losses before any step and after some: rounding, seen through
# Adam's m / sqrt(v).
SAME_LOSS = (1e-4, 2e-3, 4e-3, 8e-3)


class Racer:
    """The parent's end of a worker's pipe."""

    def __init__(self, module: str, threads: int) -> None:
        self.module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", "peers.worker", module, str(threads)],
            cwd=BENCH,
            env=limited_to(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, **question: Any) -> Any:
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        print(json.dumps(question), file=pipe_in, flush=True)
        answer = json.loads(pipe_out.readline() or '{"error": "the process ended"}')
        if "error" in answer:
            raise RuntimeError(f"{self.module}: {answer['error']}")
        return answer["answer"]

    def build(self, case: Case) -> None:
        self._ask(do="build", case=case.to_json())

    def call(self, method: str, **arguments: Any) -> Any:
        return self._ask(do="call", method=method, arguments=arguments)

    def time(self, method: str, **arguments: Any) -> float:
        """Seconds of a call, by the clock of the contender's process."""
        return float(self._ask(do="time", method=method, arguments=arguments))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


@contextmanager
def racers(keys: Sequence[str], threads: int) -> Iterator[dict[str, Racer]]:
    """Start a process for each contender that is installed; say which are not."""
    with ExitStack() as stack:
        started = {}
        for key in keys:
            entrant = ENTRANTS[key]
            if not entrant.installed:
                print(f"{entrant.label} is not installed: skipped", file=sys.stderr)
                continue
            started[key] = Racer(entrant.module, threads)
            stack.callback(started[key].close)
        yield started


def check_agreement(losses: dict[str, list[float]]) -> None:
    """Raise AssertionError if a contender's losses are not what the others say.

    `losses` holds for each contender losses before its first steps: the first tells
    whether networks are the same, the others whether updates are.
    """
    for which, allowed in enumerate(SAME_LOSS):
        told = {key: v[which] for key, v in losses.items() if len(v) > which}
        if not told:
            continue
        middle = statistics.median(v for v in told.values() if isfinite(v))
        for key, loss in told.items():
            if not abs(loss - middle) <= allowed * abs(middle):  # a NaN is not
                raise AssertionError(
                    f"{key}: the loss after {which} steps is {loss:.7g}, "
                    f"the contenders' median is {middle:.7g}: {told}"
                )


def agree(case: Case, field: dict[str, Racer]) -> dict[str, list[float]]:
    """Let all take the same steps, without dropout, whose masks differ; compare.

    Leaves each contender built for the case, with its initial weights.
    """
    losses = {}
    for key, racer in field.items():
        racer.build(replace(case, dropout=0.0))
        losses[key] = racer.call("losses", steps=len(SAME_LOSS))
        if case.dropout:
            racer.build(case)
        else:
            racer.call("reset")
    check_agreement(losses)
    return losses


def race(
    case: Case, field: dict[str, Racer], *, budget: float, least: int = LEAST
) -> dict[str, Sample]:
    """Check that all compute the same, then time epochs in turns: seconds a step."""
    agree(case, field)
    turns = {key: epochs_of_turn(racer) for key, racer in field.items()}

    def turn(key: str) -> float:
        n = turns[key]
        return field[key].time("epochs", n=n) / n

    steps = case.rows // case.batch
    epochs = take_turns(list(field), turn, budget=budget, least=least)
    return {key: summary([t / steps for t in times]) for key, times in epochs.items()}


def epochs_of_turn(racer: Racer) -> int:
    """Warm up (compile, fill caches), and return how many epochs make a turn.

    Long enough that a turn's first steps weigh little: after a rest the caches hold
    what others computed. Two at least, as users fit more than one, if they are short.
    """
    racer.time("epochs", n=1)
    epoch = racer.time("epochs", n=1)
    return 1 if epoch > 1 else max(2, ceil(TURN / epoch))


def steady(times: Sequence[float]) -> bool:
    """Whether the middle half of the times is within a quarter of the median."""
    sample = summary(times)
    return sample.high - sample.low <= sample.median / 4


def take_turns(
    keys: Sequence[str], once: Callable[[str], float], *, budget: float, least: int
) -> dict[str, list[float]]:
    """Time one contender after the other, again and again, for `budget` seconds.

    Each has `least` turns, or three where these would take ten times the budget, and
    up to three times as many while the machine is not steady.
    """
    seen: dict[str, list[float]] = {key: [] for key in keys}
    start = time.perf_counter()
    for turn in range(MOST):
        spent = time.perf_counter() - start
        enough = least if spent < 10 * budget else min(least, 3)
        over = turn >= enough and spent > budget
        if over and (turn >= 3 * enough or all(map(steady, seen.values()))):
            break
        for key in keys:
            time.sleep(REST)
            seen[key].append(once(key))
    return seen
