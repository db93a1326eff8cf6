"""One contender in a process of its own: answers questions on a pipe, line by line.

    python -m peers.worker peers.jax_scan 2

Each line of the input is JSON, ``{"do": "build", "case": ...}``, ``{"do": "call",
"method": ..., "arguments": {...}}`` or, for its seconds, "time" in place of "call";
each answer is ``{"answer": ...}`` or ``{"error": traceback}``. The environment that
limits threads is set by the parent, the affinity here, before any library is loaded.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import traceback
from typing import Any


def stay_on(threads: int) -> None:
    """Let this process use so many of the processors that it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


class Worker:
    """Holds the contender of the current case."""

    def __init__(self, module: str, threads: int) -> None:
        self.contender_class: Any = importlib.import_module(module).CONTENDER
        self.threads = threads
        self.contender: Any = None

    def build(self, case: dict[str, Any]) -> None:
        from peers.case import Case

        self.contender = None  # before the next one takes its memory
        gc.collect()
        made = Case.from_json(case)
        self.contender = self.contender_class(made, made.load(), self.threads)

    def call(self, method: str, arguments: dict[str, Any]) -> Any:
        return getattr(self.contender, method)(**arguments)

    def time(self, method: str, arguments: dict[str, Any]) -> float:
        """Seconds of a call."""
        timed = getattr(self.contender, method)
        start = time.perf_counter()
        timed(**arguments)
        return time.perf_counter() - start


def main() -> None:
    module, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print must not stand among the answers
    stay_on(threads)
    worker = Worker(module, threads)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = {"answer": getattr(worker, question.pop("do"))(**question)}
        except Exception:  # noqa: BLE001  (the parent raises it)
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
