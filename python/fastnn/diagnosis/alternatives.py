"""What is tried beside the user's training: one thing changed, and what it would mean.

Changes that leave a network able to do no more than before, optimizations, and larger
networks, sizes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.diagnosis import thresholds as at
from fastnn.diagnosis import variants
from fastnn.diagnosis.alternative import Alternative
from fastnn.diagnosis.batches import other_batches
from fastnn.diagnosis.codes import Code
from fastnn.diagnosis.data_checks import output_activation
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.notes import Case
from fastnn.diagnosis.report import Cause
from fastnn.diagnosis.trial import Rows, Run
from fastnn.layers import Layer
from fastnn.optim import LBFGS, Adam, AdamW, NAdam, Optimizer, RAdam

__all__ = ["optimizations", "sizes"]

_RATE = 1e-3  # Adam's default (Kingma and Ba 2015)
_ADAMS = (Adam, AdamW, NAdam, RAdam)
_LONGER = 4
_SUGGESTED, _USUAL, _TRAINED_LONGER = (
    "suggested rate",
    "Adam at 0.001",
    "trained longer",
)
_FREE = {
    "l1": 0.0,
    "l2": 0.0,
    "max_norm": None,
    "clip_norm": None,
    "clip_value": None,
    "gradient_noise": None,
}
_SCALE_FREE = ("mse", "squared_error", "mae")  # losses whose share knows no scale


def optimizations(case: Case) -> Iterator[Alternative]:
    """Yield trainings of networks that could do no more than the user's."""
    lab = case.lab
    layers = lab.net.layers
    optimizer: Any = lab.setup.optimizer
    yield from scalings(case)
    yield from _unbound(lab)
    if output_activation(layers) is not None and lab.setup.loss.targets != "values":
        bare = variants.with_linear_outputs(layers)
        yield Alternative(
            "output_activation",
            "data",
            "without the activation of its outputs the network fits far better",
            "end in a linear layer: the loss makes probabilities itself",
            lambda: lab.run("linear outputs", lab.drawn(bare)),
        )
    if not case.trained.still and not case.trained.diverged:
        yield Alternative(
            "too_few_epochs",
            "optimization",
            "the loss was still falling when the training ended",
            f"more epochs than {lab.epochs}, or a higher learning rate",
            lambda: lab.run(_TRAINED_LONGER, longer=_LONGER),
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
                lambda: lab.run(_SUGGESTED, optimizer=better),
            )
    if not _is_usual(optimizer):
        yield Alternative(
            *_rate_or_optimizer(optimizer),
            lambda: lab.run(_USUAL, optimizer=Adam(_RATE)),
        )
    yield from other_starts(case)
    yield from other_batches(case)
    for change in _SHAPES:
        yield from _changed(lab, "optimization", change)


def other_starts(case: Case) -> Iterator[Alternative]:
    """Yield the same network drawn anew, if it does not start so."""
    lab = case.lab
    fresh = variants.redrawn(lab.net.layers)
    if _starts_elsewhere(lab, fresh):
        yield Alternative(
            "bad_initial_weights",
            "optimization",
            "from other initial weights the same network trains far better",
            'init="auto": weights drawn by He or Glorot, biases 0',
            lambda: lab.run("drawn anew", lab.drawn(fresh)),
        )


def _unbound(lab: Lab) -> Iterator[Alternative]:
    """Yield the network without what holds it back: penalties, noise, frozen layers."""
    free: dict[str, Any] = {
        name: off for name, off in _FREE.items() if lab.setup.trainer.get(name)
    }
    certain = variants.without_dropout(lab.net.layers)
    optimizer: Any = lab.setup.optimizer
    decays = bool(getattr(optimizer, "weight_decay", 0))
    if decays:
        optimizer = dataclasses.replace(optimizer, weight_decay=0.0)
    if free or decays or certain != lab.net.layers:
        net = lab.net.copy() if certain == lab.net.layers else lab.drawn(certain)
        yield Alternative(
            "too_much_regularisation",
            "optimization",
            "without penalties, dropout and noise the network trains far better",
            "weaken them: smaller l1, l2 or weight_decay, less dropout or noise, a "
            "larger max_norm",
            lambda: lab.run(
                "unregularised",
                net,
                optimizer=optimizer if decays else None,
                keeps_schedule=True,
                **free,
            ),
        )
    if lab.net.frozen:
        yield Alternative(
            "frozen_layers",
            "optimization",
            "with all layers trained the network does far better",
            "net.unfreeze() what the task needs",
            lambda: lab.run("unfrozen", lab.net.copy().unfreeze()),
        )


def sizes(case: Case, best: Run) -> Iterator[Alternative]:
    """Yield larger networks, trained as the best of the others was."""
    options: dict[str, Any] = {}
    if best.name == _SUGGESTED:
        optimizer: Any = case.lab.setup.optimizer
        options["optimizer"] = dataclasses.replace(optimizer, lr=case.suggested_rate)
    elif best.name == _USUAL:
        options["optimizer"] = Adam(_RATE)
    elif best.name == _TRAINED_LONGER:
        options["longer"] = _LONGER
    for change in _SIZES:
        yield from _changed(case.lab, "model_bias", change, **options)


@dataclasses.dataclass(frozen=True)
class _Change:
    """Other layers for the user's; none where that makes no sense."""

    code: Code
    name: str
    layers: Callable[[tuple[Layer, ...]], tuple[Layer, ...] | None]
    title: str
    advice: str


def _changed(
    lab: Lab, cause: Cause, change: _Change, **options: Any
) -> Iterator[Alternative]:
    layers = change.layers(lab.net.layers)
    if layers is not None:
        yield Alternative(
            change.code,
            cause,
            change.title,
            change.advice,
            lambda: lab.run(change.name, lab.drawn(layers), **options),
        )


_SHAPES = (
    _Change(
        "needs_normalisation",
        "with BatchNorm",
        variants.normalised,
        "with BatchNorm the same network trains far better",
        "put BatchNorm() before the activations",
    ),
    _Change(
        "needs_skips",
        "with skips",
        variants.residual,
        "with skip connections the same network trains far better",
        "wrap hidden layers in Residual(...)",
    ),
    _Change(
        "too_deep",
        "shallower",
        variants.shallower,
        "a shallower network reaches a lower training loss",
        "fewer hidden layers, or BatchNorm, Residual and ReLU to train this many",
    ),
)

_SIZES = (
    _Change(
        "too_narrow",
        "wider",
        variants.wider,
        "a wider network fits training and held-out rows far better",
        "more units in the hidden layers",
    ),
    _Change(
        "too_shallow",
        "deeper",
        variants.deeper,
        "a deeper network fits training and held-out rows far better",
        "one more hidden layer",
    ),
    _Change(
        "no_hidden_layer",
        "with a hidden layer",
        variants.with_hidden,
        "a network with a hidden layer fits far better than this linear one",
        'a hidden layer, such as Dense(64, "relu")',
    ),
)


def scalings(case: Case) -> Iterator[Alternative]:
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
        if spread and (
            off > at.TARGET_OFFSET or not 1 / at.SPREAD < spread < at.SPREAD
        ):
            yield Alternative(
                "unscaled_targets",
                "data",
                "on standardised targets the same network trains far better",
                "standardise y, and scale predictions back "
                "(sklearn.compose.TransformedTargetRegressor)",
                lambda: _run_scaled_targets(lab),
            )


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


def _is_usual(optimizer: Optimizer) -> bool:
    """Whether it is of Adam's family, at about its default rate."""
    rate = getattr(optimizer, "lr", 0.0)
    return (
        isinstance(optimizer, _ADAMS) and 1 / at.RATE_OFF < rate / _RATE < at.RATE_OFF
    )


def _rate_or_optimizer(optimizer: Optimizer) -> tuple[Code, Cause, str, str]:
    rate = getattr(optimizer, "lr", 0.0)
    if isinstance(optimizer, _ADAMS):
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
