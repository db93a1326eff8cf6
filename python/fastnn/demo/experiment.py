"""One task of the demo: train, judge, and do the same work in NumPy."""

from __future__ import annotations

import dataclasses
import functools
import time

import numpy as np

from fastnn.callbacks import EarlyStopping
from fastnn.demo.progress import bar, follow
from fastnn.demo.tasks import Parts, Task
from fastnn.history import History
from fastnn.optim import Adam
from fastnn.reference import MLP
from fastnn.sequential import Sequential

__all__ = ["NUMPY_EPOCHS", "Result", "time_in_numpy", "train"]

NUMPY_EPOCHS = 20  # enough to time an epoch, few enough not to wait for


@dataclasses.dataclass(frozen=True)
class Result:
    """What came out.

    Attributes
    ----------
    task : Task
        What was trained.
    history : History
        The curves of the fit.
    scores : dict of str to dict
        "loss" and "accuracy" of "train", "validation" and "test", in inference mode.
    seconds : float
        Of the whole fit.
    numpy_epochs : tuple of float
        Seconds of the first epochs in NumPy.

    Examples
    --------
    >>> from fastnn import History
    >>> from fastnn.demo.experiment import Result
    >>> from fastnn.demo.tasks import TASKS
    >>> history = History({"loss": [0.9, 0.5], "seconds": [0.5, 0.25]}, 1, "epochs")
    >>> result = Result(TASKS["digits"], history, {}, 0.75, numpy_epochs=(2.0, 3.0))
    >>> result.epoch_seconds, result.numpy_epoch_seconds, result.speedup
    (0.25, 2.0, 8.0)
    """

    task: Task
    history: History
    scores: dict[str, dict[str, float]]
    seconds: float
    numpy_epochs: tuple[float, ...] = ()

    @property
    def epoch_seconds(self) -> float:
        """Seconds of the fastest epoch: the one other programs disturbed least."""
        return min(self.history.history["seconds"])

    @property
    def numpy_epoch_seconds(self) -> float:
        """The same in NumPy."""
        return min(self.numpy_epochs)

    @property
    def speedup(self) -> float:
        """How many times as long NumPy takes for an epoch."""
        return self.numpy_epoch_seconds / self.epoch_seconds


def train(task: Task, net: Sequential, parts: Parts) -> Result:
    """Fit with early stopping and a progress bar, then score all three parts."""
    with bar("fastnn", task.epochs) as progress:
        begin = time.perf_counter()
        history = net.fit(
            *parts.train,
            optimizer=Adam(lr=task.lr),
            epochs=task.epochs,
            batch_size=task.batch_size,
            validation_data=parts.validation,
            early_stopping=EarlyStopping(patience=task.patience),
            metrics=["accuracy"],
            callbacks=[functools.partial(follow, progress)],
        )
        seconds = time.perf_counter() - begin
    scores = {
        field.name: net.evaluate(*getattr(parts, field.name), metrics=["accuracy"])
        for field in dataclasses.fields(parts)
    }
    return Result(task, history, scores, seconds)


def time_in_numpy(twin: MLP, parts: Parts, batch_size: int) -> tuple[float, ...]:
    """Train for `NUMPY_EPOCHS`, validate after each, and return their seconds."""
    X, y = parts.train
    generator = np.random.default_rng(0)
    seconds = []
    with bar("NumPy", NUMPY_EPOCHS) as progress:
        for _ in range(NUMPY_EPOCHS):
            begin = time.perf_counter()
            order = generator.permutation(len(X))
            for start in range(0, len(X), batch_size):
                batch = order[start : start + batch_size]
                twin.step(X[batch], y[batch])
            twin.evaluate(*parts.validation)
            seconds.append(time.perf_counter() - begin)
            progress.update()
    return tuple(seconds)
