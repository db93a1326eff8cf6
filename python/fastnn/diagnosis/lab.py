"""Where probes run: the user's task, cut to what the budget allows, and small fits.

A probe trains a copy or a variant of the user's network on the same rows and steps and
is judged on the same two sets of rows: those trained on, and some held out of them.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.callbacks import EpochInfo
from fastnn.diagnosis.clock import Clock
from fastnn.diagnosis.far import train_far
from fastnn.diagnosis.least import least_loss
from fastnn.diagnosis.room import PROBES, affordable_rows, seconds_a_row
from fastnn.diagnosis.trial import Ending, Rows, Run, Setup, split_off
from fastnn.diagnosis.variants import linear, redrawn
from fastnn.errors import DivergedError
from fastnn.layers import Dense, Layer
from fastnn.optim import LBFGS, Optimizer
from fastnn.sequential import Sequential
from fastnn.trainer import Trainer

__all__ = ["Lab"]

_STEPS = 1500  # of a probe, unless the user says how many epochs
_EPOCHS = (10, 500)
_PARTS = 20  # of held-out rows, for the standard error


class Lab:
    """Trains probes for one diagnosis.

    Attributes
    ----------
    net : Sequential
        A copy of the user's network, built.
    train, held, validation : Rows
        Rows to train on; rows held out of them; the user's own, or None.
    given : int
        How many rows the user trains on; the lab may have fewer.
    trivial, floor : float
        The loss of the best constant outputs, and the least there can be.
    """

    def __init__(
        self,
        net: Sequential,
        setup: Setup,
        rows: Rows,
        given: int,
        validation: Rows | None,
        clock: Clock,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self.net = net
        self.setup = setup
        self.clock = clock
        self.validation = validation
        self.outputs = int(net.out_features or rows.X.shape[1])
        self.random = np.random.default_rng(seed)
        self.say = say
        self.train, self.held = split_off(rows, self.random)
        self.given = given
        self.seconds_a_row = seconds_a_row(self)
        self._leave_out_rows(affordable_rows(self))
        self.constant = self._best_constant(self.train)
        self.trivial = self.loss_of(self.constant, self._blank(self.train))
        self.floor = self._floor()
        self.held_trivial = self.loss_of(self.constant, self._blank(self.held))

    # -- losses ------------------------------------------------------------------------

    def loss_of(self, net: Sequential, rows: Rows) -> float:
        """Return the mean loss in inference mode; infinite if it is not finite."""
        with np.errstate(all="ignore"):
            value = net.evaluate(
                rows.X, rows.y, loss=self.setup.loss, sample_weight=rows.weight
            )["loss"]
        return float(value) if math.isfinite(value) else math.inf

    def loss_of_zeros(self) -> float:
        """Return the loss of outputs that are all 0, such as log K."""
        zeros = Sequential(Dense(self.outputs, init="zeros"), dtype=self.net.dtype)
        return self.loss_of(zeros.build(1), self._blank(self.train))

    def share(self, loss: float) -> float:
        """Return a loss as a share of the trivial one on training rows."""
        span = self.trivial - self.floor
        return (loss - self.floor) / span if span > 0 else 0.0

    @contextlib.contextmanager
    def unit_of(self, rows: Rows) -> Iterator[None]:
        """Measure shares by the trivial loss on these rows meanwhile."""
        before = self.trivial, self.floor
        self.trivial = self.loss_of(self._best_constant(rows), self._blank(rows))
        if self.setup.loss.kind not in _UNBOUNDED:
            self.floor = least_loss(self.setup.loss, rows.y, self.outputs)
        try:
            yield
        finally:
            self.trivial, self.floor = before

    def standard_error(self, net: Sequential, rows: Rows) -> float:
        """Return the standard error of the share on these rows."""
        n = min(_PARTS, len(rows))
        parts = [np.arange(k, len(rows), n) for k in range(n)]  # classes in each
        losses = [self.share(self.loss_of(net, rows.take(part))) for part in parts]
        if len(losses) < 2 or not np.isfinite(losses).all():
            return math.inf
        error = float(np.std(losses, ddof=1) / math.sqrt(len(losses)))
        # Rows that repeat others tell nothing new.
        distinct = len({row.tobytes() for row in np.ascontiguousarray(rows.X)})
        return error * math.sqrt(len(rows) / distinct)

    # -- trainings ---------------------------------------------------------------------

    @property
    def steps_an_epoch(self) -> int:
        """Batches of the training rows."""
        return self._steps(len(self.train))

    def _steps(self, rows: int) -> int:
        if isinstance(self.setup.optimizer, LBFGS):
            return 1
        return math.ceil(rows / self.setup.batch_size)

    @property
    def is_cut(self) -> bool:
        """Whether rows were left out to keep within the budget."""
        return len(self.train) + len(self.held) < self.given

    @property
    def epochs(self) -> int:
        """Epochs of a probe: as many steps on fewer rows as the user's on all."""
        if self.setup.epochs is not None:
            steps = self.setup.epochs * self._steps(self.given)
            return max(1, round(steps / self.steps_an_epoch))
        least, most = _EPOCHS
        return min(most, max(least, math.ceil(_STEPS / self.steps_an_epoch)))

    def drawn(self, layers: tuple[Layer, ...], seed: int | None = None) -> Sequential:
        """Return a new network of these layers."""
        return Sequential(
            *layers, seed=self.net.seed if seed is None else seed, dtype=self.net.dtype
        ).build(self.train.X.shape[1])

    def run(
        self,
        name: str,
        net: Sequential | None = None,
        *,
        rows: Rows | None = None,
        held: Rows | None = None,
        optimizer: Optimizer | None = None,
        batch_size: int | None = None,
        longer: int = 1,
        enough: float = -math.inf,
        keeps_schedule: bool = False,
        with_ending: bool = False,
        **options: Any,
    ) -> Run:
        """Train a copy of the user's network, or this one, and judge it.

        Another optimizer comes without the user's schedule, unless it keeps that.
        `rows` and `held` replace the lab's. `longer` multiplies the epochs and the
        time, which is the training's part of the budget. It ends at a training share
        of `enough`. `options` replace the user's of a `Trainer`.
        """
        self.say(name)
        net = self.net.copy() if net is None else net
        rows = self.train if rows is None else rows
        held = self.held if held is None else held
        trainer = Trainer(
            net,
            loss=self.setup.loss,
            optimizer=self.setup.optimizer if optimizer is None else optimizer,
            schedule=self.setup.schedule
            if keeps_schedule or optimizer is None
            else None,
            **{**self.setup.trainer, **options},
        )
        start = time.perf_counter()
        end = start + self.slice * min(longer, 2)
        curves: list[tuple[float, float]] = []
        settings: dict[str, float] = {}

        def watch(info: EpochInfo) -> bool:
            curves.append((info.logs["loss"], info.logs["val_loss"]))
            settings.update(info.logs)
            over = time.perf_counter() > end
            return over or self.share(info.logs["loss"]) <= enough

        diverged = False
        try:
            trainer.fit(
                rows.X,
                rows.y,
                sample_weight=rows.weight,
                epochs=self.epochs * longer,
                batch_size=batch_size or self.setup.batch_size,
                validation_data=(held.X, held.y, held.weight),
                callbacks=[watch],
                **self.setup.fit,
            )
        except DivergedError:
            diverged = True
        held_curve = [self.share(value) for _, value in curves]
        at_end = self.share(self.loss_of(net, held))
        return Run(
            name=name,
            net=net,
            train=self.share(self.loss_of(net, rows)),
            held=at_end,
            best_held=min([at_end, *held_curve]),
            curve=[self.share(loss) for loss, _ in curves],
            held_curve=held_curve,
            epochs=len(curves),
            seconds=time.perf_counter() - start,
            diverged=diverged,
            ending=_ending(trainer, settings) if with_ending and curves else None,
        )

    @property
    def slice(self) -> float:
        """Seconds that one training may take now."""
        return max(0.05, min(self.clock.budget / PROBES * 1.5, self.clock.left / 3))

    # -- how it is set up --------------------------------------------------------------

    def _blank(self, rows: Rows) -> Rows:
        return rows.with_X(np.zeros((len(rows), 1), rows.X.dtype))

    def _best_constant(self, rows: Rows) -> Sequential:
        """Return a network that knows nothing of X: the best constant outputs."""
        net = Sequential(
            Dense(self.outputs, init="zeros"), dtype=self.net.dtype, seed=0
        ).build(1)
        train_far(net, self.setup.loss, self._blank(rows), epochs=60)
        return net

    def _leave_out_rows(self, affordable: int) -> None:
        if affordable < len(self.train):
            order = self.random.permutation(len(self.train))
            self.train = self.train.take(np.sort(order[:affordable]))

    def _floor(self) -> float:
        """Return the least loss there can be, or what trainings reach where none is."""
        if self.setup.loss.kind not in _UNBOUNDED:
            return least_loss(self.setup.loss, self.train.y, self.outputs)
        rows = self.train.take(np.arange(min(len(self.train), 2000)))
        end = time.perf_counter() + self.slice
        least = self.trivial
        for layers in (
            None,
            redrawn(self.net.layers),
            linear(self.net.layers, self.outputs),
        ):
            net = self.net.copy() if layers is None else self.drawn(layers)
            train_far(net, self.setup.loss, rows, epochs=100, end=end)
            least = min(least, self.loss_of(net, rows))
        return least


_UNBOUNDED = ("gaussian", "poisson", "custom")  # losses that may be below 0


def _ending(trainer: Trainer, settings: dict[str, float]) -> Ending:
    state = trainer._native.state()  # noqa: SLF001
    return Ending(settings, state["step"], state["slots"])
