"""What the demo says, as text."""

from __future__ import annotations

import textwrap

import fastnn as fnn
from fastnn import _native
from fastnn.demo.experiment import Result
from fastnn.demo.tasks import Parts, Task
from fastnn.sequential import Sequential

__all__ = ["heading", "introduction", "scores", "times"]


def heading(threads: int) -> str:
    """Return which fastnn this is, and on what it runs."""
    plural = "" if threads == 1 else "s"
    return (
        f"fastnn {fnn.__version__}, CPU level {_native.level}, {threads} thread{plural}"
    )


def introduction(task: Task, parts: Parts, net: Sequential) -> str:
    """Return the data set, its parts and the table of layers."""
    sizes = (len(part[1]) for part in (parts.train, parts.validation, parts.test))
    rows = "{:,} images to train on, {:,} to validate, {:,} to test".format(*sizes)
    title = f"{task.title} ({task.source})"
    table = textwrap.indent(net.summary(), "  ")
    return f"{title}\n{'=' * len(title)}\n{rows}\n\n{table}\n"


def scores(result: Result) -> str:
    """Return loss and accuracy of the three parts.

    Examples
    --------
    >>> from fastnn import History
    >>> from fastnn.demo.experiment import Result
    >>> from fastnn.demo.report import scores
    >>> from fastnn.demo.tasks import TASKS
    >>> history = History({"loss": [0.9, 0.5, 0.4]}, 1, "early_stopping")
    >>> part = {"loss": 0.25, "accuracy": 0.975}
    >>> print(scores(Result(TASKS["digits"], history, {"test": part}, 0.5)))
    stopped early after 3 epochs and 0.50 seconds, the best was epoch 2
    <BLANKLINE>
                      loss  accuracy
      test          0.2500    97.5 %
    """
    history = result.history
    n_epochs, best = len(history.epoch), history.best_epoch + 1
    early = "stopped early after" if history.stop_reason == "early_stopping" else "ran"
    spent = f"{n_epochs} epochs and {result.seconds:.2f} seconds"
    lines = [f"{early} {spent}, the best was epoch {best}", ""]
    lines.append(f"  {'':<12}{'loss':>8}{'accuracy':>10}")
    for name, part in result.scores.items():
        loss, accuracy = part["loss"], 100 * part["accuracy"]
        lines.append(f"  {name:<12}{loss:8.4f}{accuracy:8.1f} %")
    return "\n".join(lines)


def times(result: Result) -> str:
    """Return how long an epoch and its validation take, here and in NumPy.

    Examples
    --------
    >>> from fastnn import History
    >>> from fastnn.demo.experiment import Result
    >>> from fastnn.demo.report import times
    >>> from fastnn.demo.tasks import TASKS
    >>> history = History({"loss": [0.9, 0.5], "seconds": [0.5, 0.25]}, 1, "epochs")
    >>> print(times(Result(TASKS["digits"], history, {}, 0.75, (2.0, 3.0))))
      the fastest epoch
      fastnn         250.0 ms
      NumPy         2000.0 ms   8.0 times as long
    """
    lines = ["  the fastest epoch"]
    lines += [
        f"  {name:<12}{1e3 * seconds:8.1f} ms"
        for name, seconds in (
            ("fastnn", result.epoch_seconds),
            ("NumPy", result.numpy_epoch_seconds),
        )
    ]
    lines[-1] += f"   {result.speedup:.1f} times as long"
    return "\n".join(lines)
