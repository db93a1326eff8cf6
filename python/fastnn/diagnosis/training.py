"""Stage "training": is the training loss high, and what makes it low?

Hung-yi Lee's order of questions: a training loss that a linear model, a shallower
network or another optimizer beats is a failure of optimization; one that only a wider
or deeper network beats is model bias. An alternative counts only where it is better on
rows held out as well: a lower training loss alone may be noise learnt by heart.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis import variants
from fastnn.diagnosis.data_checks import output_activation
from fastnn.diagnosis.lab import Lab, Rows, Run
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.report import Cause
from fastnn.layers import Dense
from fastnn.optim import LBFGS, Adam, Optimizer

__all__ = ["explain", "run_main"]

_RATE = 1e-3  # Adam's default (Kingma and Ba 2015)
_LONGER = 4
_SLOW = ("too_few_epochs", "learning_rate_low")  # what more time would mend as well
_DIVERGED = 2.0  # the share a diverged training is taken to have


@dataclasses.dataclass(frozen=True)
class Alternative:
    """A training with one thing changed, and what it means if it wins."""

    code: str
    cause: Cause
    title: str
    advice: str
    run: Callable[[], Run]


_Win: TypeAlias = tuple[Alternative, Run]


def run_main(case: Case) -> None:
    """Train as the user does, and a linear model as well as can be."""
    lab, notes = case.lab, case.notes
    case.main = main = lab.run("your training")
    case.linear = lab.linear_run(
        lab.drawn(variants.linear(lab.net.layers, lab.outputs))
    )
    notes.measurements["training"] = {
        "curve": main.curve,
        "held_out_curve": main.held_curve,
        "training": main.train,
        "held_out": main.held,
        "linear_model": case.linear.train,
        "epochs": main.epochs,
        "rows": len(lab.train),
        "seconds_an_epoch": main.seconds / max(1, main.epochs),
        "trivial_loss": lab.trivial,
        "diverged": main.diverged,
    }


def explain(case: Case) -> None:
    """Where the training loss is high, find what lowers it and blame what differs."""
    main = case.trained
    if _training(main) <= at.HIGH_LOSS:
        return
    wins = [
        (alternative, run)
        for alternative, run in _tried(case, _optimizations(case))
        if _is_better(main, run)
    ]
    best = min((run for _, run in wins), key=_training, default=main)
    larger: list[_Win] = []
    if _training(best) > at.HIGH_LOSS:
        larger = [
            (alternative, run)
            for alternative, run in _tried(case, _sizes(case, best))
            if _is_better(best, run)
        ]
    case.notes.measurements["alternatives"] = {
        run.name: run.told for run in [main, *case.tried]
    }
    gained = _training(main) - _training(best)
    largest = min((run for _, run in larger), key=_training, default=best)
    size_decides = _training(best) - _training(largest) >= max(at.GAIN, gained)
    _report(case, wins, main, decides=not size_decides)
    _report(case, larger, best, decides=size_decides)
    _report_linear(case, size_decides=size_decides)
    if main.diverged and not wins:
        case.notes.find(
            "diverged",
            "severe",
            "the training diverges",
            cause="optimization",
            epochs=main.epochs,
            advice="lower the learning rate, standardise X and y, or clip_norm=1.0",
        )


def _report(case: Case, wins: list[_Win], reference: Run, *, decides: bool) -> None:
    """Tell what won; severe is what won by about as much as the best."""
    main, notes = case.trained, case.notes
    # How many epochs a probe has was ours to say, unless the user did.
    ours = set(_SLOW) if case.lab.setup.epochs is None and _needs_time(wins) else set()
    most = max((_training(reference) - _training(run) for _, run in wins), default=0.0)
    for alternative, run in sorted(wins, key=lambda win: _training(win[1])):
        near = _training(reference) - _training(run) > most / 2
        notes.drop(alternative.code)
        notes.find(
            alternative.code,
            "severe"
            if near and decides and alternative.code not in ours
            else "warning",
            alternative.title,
            cause=alternative.cause if decides else None,
            training=_training(main),
            **{f"training_{_word(run.name)}": run.train},
            held_out=main.best_held,
            **{f"held_out_{_word(run.name)}": run.best_held},
            advice=alternative.advice,
        )


def _needs_time(wins: list[_Win]) -> bool:
    """Whether more epochs do as well as anything that was tried, or well enough."""
    longer = [_training(run) for found, run in wins if found.code == "too_few_epochs"]
    best = min((_training(run) for _, run in wins), default=0.0)
    return bool(longer) and longer[0] <= max(at.HIGH_LOSS, best + at.GAIN)


def _report_linear(case: Case, *, size_decides: bool) -> None:
    """Tell that a linear model does better, where the network could be one."""
    main, linear = case.trained, case.linear
    if linear is None or size_decides or not _is_better(main, linear):
        return
    if not variants.can_be_linear(case.lab.net.layers, case.lab.outputs):
        return
    explained = case.notes.has("too_few_epochs") and case.lab.setup.epochs is None
    case.notes.find(
        "worse_than_linear",
        "warning" if explained else "severe",
        "a linear model does better than this network, on training and new rows",
        cause="optimization",
        training=_training(main),
        training_linear_model=linear.train,
        held_out=main.best_held,
        held_out_linear_model=linear.best_held,
        advice="the network can do what a linear model does: mend its training "
        "(learning rate, start, normalisation, fewer layers) before its size",
    )


def _optimizations(case: Case) -> Iterator[Alternative]:
    """Yield trainings of networks that could do no more than the user's."""
    lab = case.lab
    layers, optimizer = lab.net.layers, lab.setup.optimizer
    yield from _scalings(case)
    if output_activation(layers) is not None and lab.setup.loss.targets != "values":
        bare = (*layers[:-1], *_bare(layers[-1]))
        yield Alternative(
            "output_activation",
            "data",
            "without the activation of its outputs the network fits far better",
            "end in a linear layer: the loss makes probabilities itself",
            lambda: lab.run("linear outputs", lab.drawn(variants.redrawn(bare))),
        )
    if not case.trained.still and not case.trained.diverged:
        yield Alternative(
            "too_few_epochs",
            "optimization",
            "the loss was still falling when the training ended",
            f"more epochs than {lab.epochs}, or a higher learning rate",
            lambda: lab.run("trained longer", longer=_LONGER),
        )
    rate = getattr(optimizer, "lr", None)
    if (found := case.suggested_rate) and rate and not isinstance(optimizer, LBFGS):
        low = found > rate
        if not 1 / at.RATE_OFF < found / rate < at.RATE_OFF:
            better: Any = dataclasses.replace(optimizer, lr=found)
            yield Alternative(
                "learning_rate_low" if low else "learning_rate_high",
                "optimization",
                f"the learning rate {rate:.3g} is too {'low' if low else 'high'}",
                f"lr={found:.2g}, which a range test suggests",
                lambda: lab.run("suggested rate", optimizer=better),
            )
    usual: Optimizer = Adam(_RATE)
    if not _is_like(optimizer, usual):
        yield Alternative(
            *_rate_or_optimizer(optimizer),
            lambda: lab.run("Adam at 0.001", optimizer=usual),
        )
    fresh = variants.redrawn(layers)
    if _starts_elsewhere(lab, fresh):
        yield Alternative(
            "bad_initial_weights",
            "optimization",
            "from other initial weights the same network trains far better",
            'init="auto": weights drawn by He or Glorot, biases 0',
            lambda: lab.run("drawn anew", lab.drawn(fresh)),
        )
    yield from _shapes(lab, case, layers)


def _shapes(lab: Lab, case: Case, layers: Any) -> Iterator[Alternative]:
    table: tuple[tuple[str, str, str, str, Any], ...] = (
        (
            "needs_normalisation",
            "with BatchNorm",
            "with BatchNorm the same network trains far better",
            "put BatchNorm() before the activations",
            variants.normalised,
        ),
        (
            "needs_skips",
            "with skips",
            "with skip connections the same network trains far better",
            "wrap hidden layers in Residual(...)",
            variants.residual,
        ),
        (
            "too_deep",
            "shallower",
            "a shallower network reaches a lower training loss",
            "fewer hidden layers, or BatchNorm, Residual and ReLU to train this many",
            variants.shallower,
        ),
    )
    for code, name, title, advice, change in table:
        changed = change(layers)
        if changed is not None:
            yield Alternative(
                code,
                "optimization",
                title,
                advice,
                lambda name=name, changed=changed: lab.run(name, lab.drawn(changed)),  # type: ignore[misc]
            )


def _sizes(case: Case, best: Run) -> Iterator[Alternative]:
    """Yield larger networks, trained as the best of the others was."""
    lab = case.lab
    optimizer = None
    if best.name == "suggested rate" and case.suggested_rate:
        optimizer = dataclasses.replace(
            lab.setup.optimizer,
            lr=case.suggested_rate,  # type: ignore[call-arg]
        )
    elif best.name == "Adam at 0.001":
        optimizer = Adam(_RATE)
    longer = _LONGER if best.name == "trained longer" else 1
    for code, name, title, advice, change in (
        (
            "too_narrow",
            "wider",
            "a wider network fits training and held-out rows far better",
            "more units in the hidden layers",
            variants.wider,
        ),
        (
            "too_shallow",
            "deeper",
            "a deeper network fits training and held-out rows far better",
            "one more hidden layer",
            variants.deeper,
        ),
        (
            "too_narrow",
            "with a hidden layer",
            "a network with a hidden layer fits far better than this linear one",
            'a hidden layer, such as Dense(64, "relu")',
            _hidden,
        ),
    ):
        changed: Any = change(lab.net.layers)
        if changed is not None:
            yield Alternative(
                code,
                "model_bias",
                title,
                advice,
                lambda name=name, changed=changed: lab.run(  # type: ignore[misc]
                    name, lab.drawn(changed), optimizer=optimizer, longer=longer
                ),
            )


def _hidden(layers: Any) -> Any:
    if variants.wider(layers) is not None:
        return None
    return (Dense(64, "relu"), *variants.redrawn(layers))


def _scalings(case: Case) -> Iterator[Alternative]:
    """Yield the same network on standardised inputs or targets, if they are not."""
    lab = case.lab
    if case.unscaled:
        yield Alternative(
            "unscaled_inputs",
            "data",
            "on standardised columns the same network trains far better",
            "standardise X: sklearn.preprocessing.StandardScaler, fitted on the "
            "training rows alone",
            lambda: _run_scaled_inputs(lab),
        )
    loss = lab.setup.loss
    if loss.targets == "values" and loss.kind in _SCALE_FREE:
        y = lab.train.y.astype(np.float64)
        spread = float(y.std())
        off = abs(float(y.mean())) / spread if spread else 0.0
        if spread and (off > at.OFFSET / 2 or not 0.1 < spread < 10):
            yield Alternative(
                "unscaled_targets",
                "data",
                "on standardised targets the same network trains far better",
                "standardise y, and scale predictions back "
                "(sklearn.compose.TransformedTargetRegressor)",
                lambda: _run_scaled_targets(lab),
            )


_SCALE_FREE = ("mse", "squared_error", "mae")  # losses whose share knows no scale


def _run_scaled_inputs(lab: Lab) -> Run:
    mean, spread = lab.train.X.mean(axis=0), lab.train.X.std(axis=0)
    spread = np.where(spread > 0, spread, 1)

    def scaled(rows: Rows) -> Rows:
        return rows.with_X(((rows.X - mean) / spread).astype(rows.X.dtype))

    net = lab.drawn(variants.redrawn(lab.net.layers))
    return lab.run("scaled inputs", net, rows=scaled(lab.train), held=scaled(lab.held))


def _run_scaled_targets(lab: Lab) -> Run:
    """Train on standardised targets; shares are the same in any unit."""
    mean, spread = lab.train.y.mean(axis=0), lab.train.y.std(axis=0)
    spread = np.where(spread > 0, spread, 1)

    def scaled(rows: Rows) -> Rows:
        return rows.with_y(((rows.y - mean) / spread).astype(rows.y.dtype))

    net = lab.drawn(variants.redrawn(lab.net.layers))
    rows, held = scaled(lab.train), scaled(lab.held)
    with lab.unit_of(rows):
        return lab.run("scaled targets", net, rows=rows, held=held)


def _tried(
    case: Case, alternatives: Iterator[Alternative]
) -> Iterator[tuple[Alternative, Run]]:
    for alternative in alternatives:
        if case.lab.clock.left <= 0:
            return
        run = alternative.run()
        case.tried.append(run)
        yield alternative, run


def _is_better(than: Run, run: Run) -> bool:
    return (
        _training(than) - _training(run) >= at.GAIN
        and min(than.best_held, _DIVERGED) - run.best_held >= at.GAIN_ON_NEW_ROWS
    )


def _training(run: Run) -> float:
    """Return its training share, however badly it ended."""
    if run.diverged or not math.isfinite(run.train):
        return _DIVERGED
    return min(run.train, _DIVERGED)


def _is_like(optimizer: Optimizer, usual: Optimizer) -> bool:
    rate = getattr(optimizer, "lr", 0.0)
    return "betas" in vars(optimizer) and 1 / at.RATE_OFF < rate / _RATE < at.RATE_OFF


def _rate_or_optimizer(optimizer: Optimizer) -> tuple[str, Cause, str, str]:
    rate = getattr(optimizer, "lr", 0.0)
    if "betas" in vars(optimizer):
        low = rate < _RATE
        return (
            "learning_rate_low" if low else "learning_rate_high",
            "optimization",
            f"the learning rate {rate:.3g} is too {'low' if low else 'high'}",
            f"lr={_RATE:g}",
        )
    return (
        "weak_optimizer",
        "optimization",
        f"Adam trains far better than this {type(optimizer).__name__}",
        f'optimizer="adam", or another learning rate than {rate:.3g}',
    )


def _starts_elsewhere(lab: Lab, fresh: Any) -> bool:
    """Whether the network is untrained and does not start as fastnn would have it."""
    if lab.net._native.progress[1] > 0:  # noqa: SLF001  (steps)
        return False
    twin = lab.drawn(fresh)
    return not np.array_equal(twin.parameters, lab.net.parameters)


def _bare(last: Any) -> tuple[Any, ...]:
    if isinstance(last, Dense):
        return (dataclasses.replace(last, activation=None),)
    return ()


def _word(name: str) -> str:
    return name.replace(" ", "_").replace(".", "_").lower()
