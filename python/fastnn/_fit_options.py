"""The settings of one fit, checked together before anything runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastnn._config import nearest
from fastnn._validation import check_bool, check_int, check_metrics, check_number
from fastnn._validation.options import METRICS
from fastnn.callbacks import Callback, Checkpoint, EarlyStopping
from fastnn.losses import Loss

__all__ = ["FitOptions", "check_monitor"]


@dataclasses.dataclass(frozen=True)
class FitOptions:
    """Plain, checked values; see `Trainer.fit` for their meaning."""

    epochs: int
    batch_size: int
    shuffle: bool
    validation_split: float
    early_stopping: EarlyStopping | None
    callbacks: tuple[Callback, ...]
    metrics: list[str]
    verbose: int

    @classmethod
    def checked(
        cls,
        loss: Loss,
        *,
        has_validation_data: bool,
        epochs: object,
        batch_size: object,
        shuffle: object,
        validation_split: object,
        early_stopping: object,
        callbacks: object,
        metrics: object,
        verbose: object,
    ) -> FitOptions:
        """Return the options, or raise for the first that is unusable."""
        split = check_number("validation_split", validation_split, at_least=0, below=1)
        if split > 0 and has_validation_data:
            raise ValueError(
                "validation_data and validation_split are both given: keep one"
            )
        stopping, functions = _callbacks(early_stopping, callbacks)
        options = cls(
            epochs=check_int("epochs", epochs, 1),
            batch_size=check_int("batch_size", batch_size, 1),
            shuffle=check_bool("shuffle", shuffle),
            validation_split=split,
            early_stopping=stopping,
            callbacks=functions,
            metrics=check_metrics(metrics, loss),
            verbose=_verbose(verbose),
        )
        if stopping is not None:
            check_monitor(
                "early_stopping",
                stopping.monitor,
                options.metrics,
                validates=has_validation_data or split > 0,
            )
        for callback in functions:
            if isinstance(callback, Checkpoint):
                _check_checkpoint(
                    callback,
                    options.metrics,
                    validates=has_validation_data or split > 0,
                )
        return options

    def to_native(self) -> dict[str, Any]:
        """Return what the engine reads of them."""
        stopping = self.early_stopping
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "metrics": self.metrics,
            "early_stopping": None if stopping is None else stopping.to_native(),
        }


def _verbose(value: Any) -> int:
    if value not in (0, 1, 2):
        raise ValueError(
            "verbose must be 0 (silent), 1 (progress bar) or 2 (one line an epoch), "
            f"got {value!r}"
        )
    return int(value)


def _callbacks(
    early_stopping: object, callbacks: object
) -> tuple[EarlyStopping | None, tuple[Callback, ...]]:
    """Sort callables from early stopping, which the engine does by itself."""
    if early_stopping is None or early_stopping is False:
        rules = []
    elif early_stopping is True:
        rules = [EarlyStopping()]
    elif isinstance(early_stopping, EarlyStopping):
        rules = [early_stopping]
    else:
        raise TypeError(
            "early_stopping must be True, False, None or EarlyStopping(...), got "
            f"{type(early_stopping).__name__} {early_stopping!r}"
        )
    if callable(callbacks) or isinstance(callbacks, EarlyStopping):
        callbacks = (callbacks,)
    if not isinstance(callbacks, Iterable) or isinstance(callbacks, (str, np.ndarray)):
        raise TypeError(
            f"callbacks must be a list of callables, got {type(callbacks).__name__}"
        )
    functions: list[Callback] = []
    for i, callback in enumerate(callbacks):
        if isinstance(callback, EarlyStopping):
            rules.append(callback)
        elif callable(callback) and not isinstance(callback, type):
            functions.append(callback)
        else:
            raise TypeError(
                f"callbacks[{i}] must be callable with one argument, the EpochInfo, "
                f"got {callback!r}"
            )
    if len(rules) > 1:
        raise ValueError(
            f"early stopping is given {len(rules)} times: keep one EarlyStopping, "
            "in early_stopping= or in callbacks="
        )
    return (rules[0] if rules else None), tuple(functions)


def _check_checkpoint(
    callback: Checkpoint, metrics: list[str], *, validates: bool
) -> None:
    """Raise ValueError if a fit lacks a value this callback asks for."""
    if callback.save_best_only:
        check_monitor("Checkpoint", callback.monitor, metrics, validates=validates)
    plain = ["loss", *metrics]
    twins = [f"val_{name}" for name in plain] if validates else []
    callback.check_values([*plain, *twins, "lr", "seconds"])


def check_monitor(
    argument: str, monitor: str, metrics: list[str], *, validates: bool
) -> None:
    """Raise ValueError if no curve of the fit will have the name `monitor`."""
    plain = ["loss", *metrics]
    known = plain + [f"val_{name}" for name in plain] if validates else plain
    if monitor in known:
        return
    name = monitor.removeprefix("val_")
    if name != "loss" and name in METRICS and name not in metrics:
        advice = f"add metrics=({name!r},)"
    elif name in plain:
        advice = (
            "there is no validation data: pass validation_data= or "
            f"validation_split=, or watch {name!r}"
        )
    else:
        advice = f"this fit has {', '.join(known)}{nearest(monitor, known)}"
    raise ValueError(
        f"{argument}: monitor={monitor!r} is no value of this fit; {advice}"
    )
