"""The constructor's parameters, checked together before a fit changes anything."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from fastnn._config import from_name, unknown_name
from fastnn._fit_options import sorted_callbacks
from fastnn._validation import (
    check_bool,
    check_dtype,
    check_int,
    check_number,
    check_positive_or_none,
    check_threads,
)
from fastnn.augment import Augment
from fastnn.augment._checks import as_augments
from fastnn.callbacks import Averaging, Callback, EarlyStopping
from fastnn.optim import LBFGS, OPTIMIZERS, SGD, Adam, Optimizer
from fastnn.schedules.several import GivenSchedule, Schedules
from fastnn.sklearn._learning_rate import LearningRate
from fastnn.sklearn._scoring import Scorer, check_scoring

__all__ = ["Parameters"]

SOLVERS = ("lbfgs", "sgd", "adam")
_LBFGS_MEMORY = 10  # as SciPy's, which scikit-learn calls
_DEFAULT_RATE = 0.001  # of learning_rate_init
_RATES = ("constant", "invscaling", "adaptive")


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Plain, checked values; see `MLPClassifier` for their meaning."""

    optimizer: Optimizer
    learning_rate: LearningRate | None  # of solver="sgd" alone
    schedule: GivenSchedule | None
    alpha: float
    l1: float
    max_norm: float | None
    clip_norm: float | None
    batch_size: int | None
    max_iter: int
    max_fun: float  # of L-BFGS alone
    shuffle: bool
    tol: float
    n_iter_no_change: float
    verbose: bool
    warm_start: bool
    early_stopping: bool
    stopping: EarlyStopping | None  # the user's own rule
    scoring: Scorer | None
    validation_fraction: float
    callbacks: tuple[Callback | Averaging, ...]
    augment: tuple[Augment, ...]
    n_threads: int | None
    dtype: str | None

    @property
    def takes_all_rows(self) -> bool:
        """Whether an epoch is an iteration on all rows."""
        return isinstance(self.optimizer, LBFGS)

    @classmethod
    def of(cls, estimator: Any) -> Parameters:
        """Return an estimator's parameters, or raise for the first that is unusable."""
        get = vars(estimator).__getitem__
        early_stopping, stopping, callbacks = _callbacks(
            get("early_stopping"), get("callbacks")
        )
        optimizer, learning_rate = _optimizer(get)
        dtype = get("dtype")
        check_threads(get("n_threads"))
        return cls(
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=_schedule(get("schedule"), learning_rate),
            alpha=check_number("alpha", get("alpha"), at_least=0.0),
            l1=check_number("l1", get("l1"), at_least=0.0),
            max_norm=check_positive_or_none("max_norm", get("max_norm")),
            clip_norm=check_positive_or_none("clip_norm", get("clip_norm")),
            batch_size=_batch_size(get("batch_size")),
            max_iter=check_int("max_iter", get("max_iter"), 1),
            max_fun=check_int("max_fun", get("max_fun"), 1),
            shuffle=check_bool("shuffle", get("shuffle")),
            tol=check_number("tol", get("tol"), at_least=0.0),
            n_iter_no_change=_n_iter_no_change(get("n_iter_no_change")),
            verbose=_verbose(get("verbose")),
            warm_start=check_bool("warm_start", get("warm_start")),
            early_stopping=early_stopping,
            stopping=stopping,
            scoring=check_scoring(get("scoring")),
            validation_fraction=check_number(
                "validation_fraction", get("validation_fraction"), at_least=0, below=1
            ),
            callbacks=callbacks,
            augment=as_augments(get("augment")),
            n_threads=get("n_threads"),
            dtype=None
            if isinstance(dtype, str) and dtype == "auto"
            else check_dtype(dtype),
        )


def _callbacks(
    early_stopping: object, callbacks: object
) -> tuple[bool, EarlyStopping | None, tuple[Callback | Averaging, ...]]:
    by_score = isinstance(early_stopping, (bool, np.bool_)) and bool(early_stopping)
    stopping, average, functions = sorted_callbacks(
        None if by_score else early_stopping, callbacks
    )
    if by_score and stopping is not None:
        raise ValueError(
            "early_stopping=True and an EarlyStopping among the callbacks are both "
            "given: keep one"
        )
    if by_score and average is not None:
        raise ValueError(
            f"early_stopping=True and {average!r} are both given, and either would "
            "decide the final weights: keep one, or stop by the averages with "
            "early_stopping=fnn.EarlyStopping('val_loss')"
        )
    averages = () if average is None else (average,)
    return by_score, stopping, (*functions, *averages)


def _optimizer(get: Any) -> tuple[Optimizer, LearningRate | None]:
    """Return the optimizer and, for solver="sgd", how its rate changes."""
    solver, rule = get("solver"), get("learning_rate")
    _check_name("solver", solver, SOLVERS)
    _check_name("learning_rate", rule, _RATES)
    lr = check_number("learning_rate_init", get("learning_rate_init"), above=0.0)
    power_t = check_number("power_t", get("power_t"), at_least=0.0)
    momentum = check_number("momentum", get("momentum"), at_least=0.0)
    if momentum > 1:
        raise ValueError(f"momentum must be in [0, 1], got {momentum}")
    nesterov = check_bool("nesterovs_momentum", get("nesterovs_momentum"))
    betas = tuple(
        check_number(name, get(name), at_least=0.0, below=1.0)
        for name in ("beta_1", "beta_2")
    )
    epsilon = check_number("epsilon", get("epsilon"), above=0.0)
    tol = check_number("tol", get("tol"), at_least=0.0)
    if (given := get("optimizer")) is not None:
        optimizer = from_name("optimizer", given, Optimizer, OPTIMIZERS)
        if isinstance(given, str) and lr != _DEFAULT_RATE:
            optimizer = type(optimizer)(lr=lr)  # type: ignore[call-arg]
        return optimizer, None
    if solver == "lbfgs":
        return LBFGS(
            max_iter=1,
            max_eval=check_int("max_fun", get("max_fun"), 1),
            tolerance_grad=tol,
            history_size=_LBFGS_MEMORY,
        ), None
    if solver == "sgd":
        sgd = SGD(lr, momentum=momentum, nesterov=nesterov and momentum > 0)
        return sgd, LearningRate(rule, lr, power_t, lr)
    return Adam(lr, betas=(betas[0], betas[1]), eps=epsilon), None


def _schedule(schedule: Any, rate: LearningRate | None) -> GivenSchedule | None:
    schedules = Schedules.checked(schedule)
    if schedules.lr is not None and rate is not None and rate.rule != "constant":
        raise ValueError(
            f"schedule and learning_rate={rate.rule!r} are both given: keep one "
            "(learning_rate='constant' leaves the rate to the schedule)"
        )
    return schedules.given  # type: ignore[no-any-return]


def _check_name(argument: str, value: object, known: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        raise TypeError(
            f"{argument} must be one of {', '.join(known)}, got "
            f"{type(value).__name__} {value!r}"
        )
    if value not in known:
        raise unknown_name(argument, value, known)


def _batch_size(value: Any) -> int | None:
    if isinstance(value, str) and value == "auto":
        return None
    if isinstance(value, str):
        raise unknown_name("batch_size", value, ["auto"])
    return check_int("batch_size", value, 1)


def _n_iter_no_change(value: Any) -> float:
    if isinstance(value, float) and value == math.inf:
        return value
    return check_int("n_iter_no_change", value, 1)


def _verbose(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return check_int("verbose", value, 0) > 0
