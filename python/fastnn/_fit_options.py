"""The settings of one fit, checked together before anything runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from fastnn._config import Config, nearest
from fastnn._plain import to_plain
from fastnn._validation import check_bool, check_int, check_metrics, check_number
from fastnn._validation.options import METRICS
from fastnn.augment import Augment
from fastnn.augment._checks import as_augments
from fastnn.callbacks import EMA, SWA, Averaging, Callback, Checkpoint, EarlyStopping
from fastnn.losses import Loss

__all__ = [
    "FitOptions",
    "check_monitor",
    "check_verbose",
    "curve_names",
    "sorted_callbacks",
]


@dataclasses.dataclass(frozen=True)
class FitOptions:
    """Plain, checked values; see `Trainer.fit` for their meaning."""

    stored: ClassVar[tuple[str, ...]] = (
        "epochs",
        "batch_size",
        "shuffle",
        "validation_split",
        "metrics",
        "early_stopping",
        "averaging",
        "augment",
    )
    """What a checkpoint holds of them: all that the numbers of a fit depend on."""

    epochs: int
    batch_size: int
    shuffle: bool
    validation_split: float
    early_stopping: EarlyStopping | None
    averaging: Averaging | None
    callbacks: tuple[Callback, ...]
    metrics: list[str]
    augment: tuple[Augment, ...]
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
        augment: object,
        verbose: object,
        scheduled: Sequence[str] = (),
    ) -> FitOptions:
        """Return the options, or raise for the first that is unusable."""
        split = check_number("validation_split", validation_split, at_least=0, below=1)
        if split > 0 and has_validation_data:
            raise ValueError(
                "validation_data and validation_split are both given: keep one"
            )
        validates = has_validation_data or split > 0
        stopping, averaging, functions = sorted_callbacks(early_stopping, callbacks)
        options = cls(
            epochs=check_int("epochs", epochs, 1),
            batch_size=check_int("batch_size", batch_size, 1),
            shuffle=check_bool("shuffle", shuffle),
            validation_split=split,
            early_stopping=stopping,
            averaging=averaging,
            callbacks=functions,
            metrics=check_metrics(metrics, loss),
            augment=as_augments(augment),
            verbose=check_verbose(verbose),
        )
        _check_averaging(averaging, options.epochs, stopping)
        if stopping is not None:
            check_monitor(
                "early_stopping",
                stopping.monitor,
                options.metrics,
                validates=validates,
            )
        for callback in functions:
            if isinstance(callback, Checkpoint):
                _check_checkpoint(
                    callback, options.metrics, validates=validates, scheduled=scheduled
                )
        return options

    def to_native(self) -> dict[str, Any]:
        """Return what the engine reads of them."""
        stopping, average = self.early_stopping, self.averaging
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "metrics": self.metrics,
            "early_stopping": None if stopping is None else stopping.to_native(),
            "averaging": None if average is None else average.for_fit(self.epochs),
            "augment": [augment.to_native() for augment in self.augment],
        }

    def to_plain(self) -> dict[str, Any]:
        """Return the stored ones as JSON can hold them."""
        values = {name: getattr(self, name) for name in self.stored}
        values["augment"] = [to_plain(augment) for augment in self.augment]
        return {
            name: to_plain(value) if isinstance(value, Config) else value
            for name, value in values.items()
        }


def check_verbose(value: Any) -> int:
    """Return 0, 1 or 2."""
    if value not in (0, 1, 2):
        raise ValueError(
            "verbose must be 0 (silent), 1 (progress bar) or 2 (one line an epoch), "
            f"got {value!r}"
        )
    return int(value)


def sorted_callbacks(
    early_stopping: object, callbacks: object
) -> tuple[EarlyStopping | None, Averaging | None, tuple[Callback, ...]]:
    """Sort callables from early stopping and averages, which the engine does."""
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
    if callable(callbacks) or isinstance(callbacks, (EarlyStopping, EMA, SWA)):
        callbacks = (callbacks,)
    if not isinstance(callbacks, Iterable) or isinstance(callbacks, (str, np.ndarray)):
        raise TypeError(
            f"callbacks must be a list of callables, got {type(callbacks).__name__}"
        )
    averages: list[Averaging] = []
    functions: list[Callback] = []
    for i, callback in enumerate(callbacks):
        if isinstance(callback, EarlyStopping):
            rules.append(callback)
        elif isinstance(callback, (EMA, SWA)):
            averages.append(callback)
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
    if len(averages) > 1:
        raise ValueError(
            f"callbacks: {' and '.join(map(repr, averages))} would average the same "
            "weights: keep one"
        )
    return (
        rules[0] if rules else None,
        averages[0] if averages else None,
        tuple(functions),
    )


def curve_names(
    metrics: list[str], *, validates: bool, scheduled: Sequence[str] = ()
) -> list[str]:
    """Return the names of the curves of a fit's history, in the engine's order.

    `scheduled`: what has a schedule beside the learning rate.
    """
    scores = _score_names(metrics, validates=validates)
    return [*scores, "lr", *scheduled, "seconds"]


def _score_names(metrics: list[str], *, validates: bool) -> list[str]:
    """Return the names of those curves that tell how good the network is."""
    scores = ["loss", *metrics]
    return [*scores, *(f"val_{name}" for name in scores if validates)]


def _check_averaging(
    averaging: Averaging | None, epochs: int, stopping: EarlyStopping | None
) -> None:
    """Raise if the fit could not average, or not give the average back."""
    if not isinstance(averaging, SWA):
        return
    if isinstance(averaging.start, int) and averaging.start >= epochs:
        raise ValueError(
            f"SWA: start={averaging.start} leaves none of epochs={epochs} to average: "
            f"let it begin earlier, at the latest with epoch {epochs - 1}"
        )
    if stopping is not None and stopping.restore_best_weights:
        raise ValueError(
            "SWA ends with the average of the weights, EarlyStopping with those of the "
            "best epoch: keep one, or pass EarlyStopping(restore_best_weights=False)"
        )


def _check_checkpoint(
    callback: Checkpoint,
    metrics: list[str],
    *,
    validates: bool,
    scheduled: Sequence[str],
) -> None:
    """Raise ValueError if a fit lacks a value this callback asks for."""
    if callback.save_best_only:
        check_monitor("Checkpoint", callback.monitor, metrics, validates=validates)
    callback.check_values(
        curve_names(metrics, validates=validates, scheduled=scheduled)
    )


def check_monitor(
    argument: str, monitor: str, metrics: list[str], *, validates: bool
) -> None:
    """Raise ValueError if no curve of the fit will have the name `monitor`."""
    known = _score_names(metrics, validates=validates)
    if monitor in known:
        return
    name = monitor.removeprefix("val_")
    if name != "loss" and name in METRICS and name not in metrics:
        advice = f"add metrics=({name!r},)"
    elif name in known and not validates:
        advice = (
            "there is no validation data: pass validation_data= or "
            f"validation_split=, or watch {name!r}"
        )
    else:
        advice = f"this fit has {', '.join(known)}{nearest(monitor, known)}"
    raise ValueError(
        f"{argument}: monitor={monitor!r} is no value of this fit; {advice}"
    )
