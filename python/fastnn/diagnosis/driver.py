"""`diagnose`: the stages in their order, within a budget of time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn._validation import (
    Data,
    TableLike,
    as_class_weight,
    as_validation_data,
    check_int,
)
from fastnn._validation.features import dense_rows
from fastnn._validation.weights import combine
from fastnn.diagnosis import (
    batches,
    data_checks,
    generalisation,
    landscape,
    layer_stats,
    rates,
    start,
    stuck,
    training,
)
from fastnn.diagnosis.clock import Clock, budget_seconds
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case, Notes
from fastnn.diagnosis.report import SEVERITIES, Report, Verdict
from fastnn.diagnosis.show import Ticker
from fastnn.diagnosis.trial import Rows, Setup
from fastnn.losses import Loss, LossFunction
from fastnn.optim import Optimizer
from fastnn.schedules.several import GivenSchedule
from fastnn.sequential import Sequential
from fastnn.trainer import Trainer

__all__ = ["FIT_OPTIONS", "TRAINER_OPTIONS", "diagnose"]

_MOST_ROWS = 20_000  # looked at, of each set
_MOST_CELLS = 20_000_000  # likewise, of wide sparse rows written out
_FEWEST = 5  # rows that anything can be told of
TRAINER_OPTIONS = (
    *("l1", "l2", "max_norm", "clip_norm", "clip_value", "gradient_noise"),
    "n_threads",
)
FIT_OPTIONS = ("augment", "class_weight", "early_stopping", "metrics", "shuffle")

_Stage = tuple[str, Callable[[Case], None]]

_STAGES: tuple[_Stage, ...] = (
    ("start", start.look),
    ("learning rate", rates.look),
    ("training", training.run_main),
    ("alternatives", training.explain),
    ("layers", layer_stats.look),
    ("stuck", stuck.look),
    ("generalisation", generalisation.look),
    ("landscape", landscape.look),
    ("batch size", batches.look),
)


def diagnose(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    *,
    validation_data: tuple[Any, ...] | None = None,
    loss: str | Loss | LossFunction = "cross_entropy",
    optimizer: str | Optimizer = "adam",
    schedule: GivenSchedule | None = None,
    epochs: int | None = None,
    batch_size: int = 128,
    sample_weight: npt.ArrayLike | None = None,
    budget: str | float = "30s",
    seed: int = 0,
    verbose: int = 1,
    **options: Any,
) -> Report:
    """Find out by experiments why a network does not train or generalise as it should.

    Copies of the network are trained as told here, and again with one thing changed at
    a time; what is found bears the numbers that show it. The questions are those of
    Hung-yi Lee's course, in their order: is the training loss high? Then another
    learning rate, start, normalisation or depth tells failed optimisation, a wider
    network model bias. Is it low, but not on new rows? Then rows held out of the
    training rows tell overfitting, and validation rows worse than those a mismatch.

    Parameters
    ----------
    net : Sequential
        The network, built or not, trained or not. Nothing of it is changed.
    X, y, sample_weight, validation_data
        As for `Sequential.fit`.
    loss, optimizer, schedule, batch_size
        How it is trained, as for `Sequential.fit`: the question is why *that* fails.
    epochs : int, optional
        Passes of one training; None: what makes about 1,500 steps.
    budget : str or float, default "30s"
        Seconds, as a number or in the form "30s", "2min". Fewer rows and epochs are
        tried where all would take longer.
    seed : int, default 0
        Decides which rows are held out and looked at.
    verbose : {0, 1}, default 1
        1 shows the stages on stderr as they run.
    **options
        l1, l2, max_norm, clip_norm, clip_value, gradient_noise, augment, class_weight,
        early_stopping, metrics, shuffle and n_threads, as for `Sequential.fit`.

    Returns
    -------
    Report
        ``report.verdict`` is one of "healthy", "model_bias", "optimization",
        "overfitting", "mismatch", "data"; ``report.findings`` say why and what to do.
        A Ctrl-C ends the diagnosis and returns the report so far.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable. NaN in X or y is a finding.

    Notes
    -----
    Losses in a report are shares: 0 is no loss, 1 what the best constant outputs have.
    For losses that may be negative 0 is what a long training reaches. Dropout is off
    and BatchNorm uses its running statistics wherever a loss is told.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).standard_normal((600, 4))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> net = fnn.Sequential(fnn.Dense(32, "relu"), fnn.Dense(2))
    >>> report = fnn.diagnose(
    ...     net, X, y, optimizer=fnn.SGD(lr=1e-6), budget="5s", verbose=0
    ... )
    >>> report.verdict, "learning_rate_low" in report
    ('optimization', True)
    """
    setup = _setup(net, loss, optimizer, schedule, batch_size, epochs, options)
    clock = Clock(budget_seconds(budget))
    seed = check_int("seed", seed, 0)
    notes = Notes()
    done: list[str] = []
    complete = False
    with Ticker(clock, shown=bool(check_int("verbose", verbose, 0))) as ticker:
        try:
            ticker.say("the data")
            case = _case(
                net,
                (X, y, sample_weight),
                validation_data,
                setup,
                clock,
                seed,
                notes,
                ticker.say,
            )
            done.append("data")
            if case is not None:
                done.extend(_stages(case))
            over = case is None or notes.has("constant_targets")
            complete = len(done) > len(_STAGES) or (over and bool(notes.findings))
        except KeyboardInterrupt:
            pass
    return _report(notes, clock, tuple(done), complete=complete)


def _stages(case: Case) -> Iterator[str]:
    """Run the stages, each of which reads what those before it found."""
    for name, stage in _STAGES:
        if case.lab.clock.left <= 0:
            return
        if name != "start" and case.notes.has("constant_targets"):
            return
        stage(case)
        yield name


def _case(
    net: Sequential,
    given: tuple[Any, Any, Any],
    validation_data: tuple[Any, ...] | None,
    setup: Setup,
    clock: Clock,
    seed: int,
    notes: Notes,
    say: Callable[[str], None],
) -> Case | None:
    """Look at the data; None if nothing can be trained on them."""
    X, y, sample_weight = given
    given_rows = {"X": X, "y": y}
    if isinstance(validation_data, (tuple, list)):
        names = ("validation_data[0]", "validation_data[1]")
        given_rows |= dict(zip(names, validation_data, strict=False))
    finite = [data_checks.check_finite(*item, notes) for item in given_rows.items()]
    if not all(finite):
        return None
    copy = net.copy()
    data = copy._checked_data(X, y, sample_weight, setup.loss)  # noqa: SLF001
    copy.build(data.X.shape[1])
    random = np.random.default_rng(seed)
    width = int(copy.out_features or data.X.shape[1])
    rows = _rows(_weighted(data, setup, copy.dtype, width), random)
    validation = None
    if validation_data is not None:
        checked = as_validation_data(
            validation_data, data, setup.loss, copy.dtype, width
        )
        if checked is not None:
            validation = _rows(checked, random)
    data_checks.check_columns(rows.X, notes)
    data_checks.check_rows(rows, validation, setup.loss, notes)
    data_checks.check_outputs(copy.layers, rows.y, setup.loss, notes)
    if notes.has("one_class") or len(rows) < _FEWEST:
        return None
    lab = Lab(copy, setup, rows, len(data), validation, clock, seed, say)
    return Case(lab, notes, unscaled=data_checks.is_unscaled(rows.X))


def _weighted(data: Data, setup: Setup, dtype: str, outputs: int) -> Data:
    """Return the rows with what they count by their class, and none that count 0."""
    by_class = as_class_weight(setup.class_weight, data.y, setup.loss, dtype, outputs)
    weight = combine(data.weight, by_class)
    data = dataclasses.replace(data, weight=weight)
    if weight is not None and not weight.all():
        data = data.rows(np.flatnonzero(weight))
    return data


def _rows(data: Data, random: np.random.Generator) -> Rows:
    """Return at most so many of the rows, as dense arrays."""
    most = min(_MOST_ROWS, max(_FEWEST, _MOST_CELLS // data.X.shape[1]))
    if len(data) > most:
        data = data.rows(np.sort(random.permutation(len(data))[:most]))
    return Rows(dense_rows(data.X), data.y, data.weight)


def _setup(
    net: Sequential,
    loss: Any,
    optimizer: Any,
    schedule: Any,
    batch_size: Any,
    epochs: Any,
    options: dict[str, Any],
) -> Setup:
    """Check how the user trains; nothing is trained yet."""
    if unknown := options.keys() - {*TRAINER_OPTIONS, *FIT_OPTIONS}:
        name = min(unknown)
        raise TypeError(
            f"diagnose() got an unexpected keyword argument {name!r}; beside its own "
            f"it takes {', '.join((*TRAINER_OPTIONS, *FIT_OPTIONS))}"
        )
    trainer_options = {k: v for k, v in options.items() if k in TRAINER_OPTIONS}
    trainer = Trainer(
        net, loss=loss, optimizer=optimizer, schedule=schedule, **trainer_options
    )
    return Setup(
        loss=trainer.loss,
        optimizer=trainer.optimizer,
        schedule=schedule,
        batch_size=check_int("batch_size", batch_size, 1),
        epochs=None if epochs is None else check_int("epochs", epochs, 1),
        trainer=trainer_options,
        class_weight=options.get("class_weight"),
        fit={
            k: v for k, v in options.items() if k in FIT_OPTIONS and k != "class_weight"
        },
    )


def _report(
    notes: Notes, clock: Clock, done: tuple[str, ...], *, complete: bool
) -> Report:
    findings = sorted(notes.findings, key=lambda f: SEVERITIES.index(f.severity))
    return Report(
        _verdict(notes), findings, notes.measurements, clock.passed, done, complete
    )


def _verdict(notes: Notes) -> Verdict:
    """Return what matters most: training goes before generalisation."""
    causes = [f.cause for f in notes.findings if f.severity == "severe"]
    order: tuple[Verdict, ...] = (
        "data",
        "model_bias",
        "optimization",
        "mismatch",
        "overfitting",
    )
    for cause in order:
        if cause in causes:
            return cause
    return "healthy"
