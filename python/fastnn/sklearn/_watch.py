"""What an estimator does after each epoch: curves, scores, scikit-learn's stopping."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from fastnn.callbacks import EpochInfo
from fastnn.sklearn._learning_rate import LearningRate
from fastnn.sklearn._parameters import Parameters

__all__ = ["Watch"]

Score = Callable[[EpochInfo], float]


class Watch:
    """Follows the epochs of an estimator, over all its calls of `partial_fit`.

    The rule is scikit-learn's: an epoch counts against the patience unless the loss
    falls by more than `tol` below the best one, or the validation score rises at least
    to `tol` above it; the best moves with any improvement.
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {}  # of History
        self.loss_curve: list[float] = []
        self.scores: list[float] | None = None
        self.best_loss = math.inf
        self.best_score = -math.inf
        self.best_epoch = -1
        self.without_progress = 0
        self.rows_seen = 0
        self.best_state: dict[str, Any] | None = None

    def copy(self) -> Watch:
        """Return one that goes on from here by itself."""
        twin = Watch()
        twin.__dict__.update(self.__dict__)
        twin.columns = {name: list(values) for name, values in self.columns.items()}
        twin.loss_curve = list(self.loss_curve)
        twin.scores = None if self.scores is None else list(self.scores)
        return twin

    # -- one call ---------------------------------------------------------------------

    def begin(
        self,
        parameters: Parameters,
        rate: LearningRate | None,
        *,
        rows: int,
        loss_of: Callable[[dict[str, float]], float],
        score: Score | None,
        net: Any,
        anew: bool,
    ) -> None:
        """Prepare for the epochs of one call of fit."""
        self.parameters = parameters
        self.rate = rate
        self.rows = rows
        self.loss_of = loss_of
        self.score = score
        self.n_iter = 0
        self.evaluations = 0
        self.exhausted = False  # by max_fun
        self.stopped: Literal["", "converged", "early_stopping"] = ""
        if not parameters.early_stopping:
            self.best_state = None
        elif anew or self.best_state is None:
            self.best_state = net.state_dict()
        if score is None:
            self.scores = None
        elif self.scores is None:
            self.scores = []

    def end(self, net: Any, *, over: bool) -> None:
        """Let go of what one call needed; at the end of training take the best weights.

        Calls of `partial_fit` are over when the score no longer improves.
        """
        if over:
            if self.best_state is not None:
                net.load_state_dict(self.best_state)
            self.best_state = None
            self.without_progress = 0 if self.stopped else self.without_progress
        for name in ("parameters", "rate", "loss_of", "score"):
            delattr(self, name)

    def __call__(self, info: EpochInfo) -> bool:
        """Take note of an epoch; True: stop."""
        self.n_iter += 1
        self.rows_seen += self.rows
        self._record(info)
        if self.parameters.early_stopping:
            self._judge_score(info)
        else:
            self._judge_loss()
        before = None if self.rate is None else self.rate.current
        if self.rate is not None:
            self.rate.after_epoch(self.rows_seen)
        stop = self._should_stop() or self._has_spent_all(info)
        if self.rate is not None and self.rate.current != before:
            info.trainer._set_learning_rate(self.rate.current)  # noqa: SLF001
        return stop

    def _record(self, info: EpochInfo) -> None:
        if self.columns.keys() != info.logs.keys():  # validation came or went
            self.columns = {name: [] for name in info.logs}
        for name, value in info.logs.items():
            self.columns[name].append(value)
        self.loss_curve.append(self.loss_of(info.logs))
        self._say(f"Iteration {self.n_iter}, loss = {self.loss_curve[-1]:.8f}")
        if self.score is not None and self.scores is not None:
            self.scores.append(self.score(info))
            self._say(f"Validation score: {self.scores[-1]:f}")

    def _judge_loss(self) -> None:
        loss = self.loss_curve[-1]
        worse = loss > self.best_loss - self.parameters.tol
        self.without_progress = self.without_progress + 1 if worse else 0
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_epoch = len(self.loss_curve) - 1

    def _judge_score(self, info: EpochInfo) -> None:
        if not self.scores:
            return
        score = self.scores[-1]
        worse = score < self.best_score + self.parameters.tol
        self.without_progress = self.without_progress + 1 if worse else 0
        if score > self.best_score:
            self.best_score = score
            self.best_epoch = len(self.loss_curve) - 1
            self.best_state = info.net.state_dict()

    def _should_stop(self) -> bool:
        if self.without_progress <= self.parameters.n_iter_no_change:
            return False
        by_score = self.parameters.early_stopping
        what = "Validation score" if by_score else "Training loss"
        why = (
            f"{what} has not improved by tol={self.parameters.tol:g} for "
            f"{self.parameters.n_iter_no_change} epochs in a row."
        )
        if self.rate is not None and self.rate.falls_on_plateau():
            self.without_progress = 0
            self._say(f"{why} The learning rate falls to {self.rate.current:g}.")
            return False
        by_others = self.parameters.stopping is not None  # the user's own rule decides
        if by_others or (self.parameters.takes_all_rows and not by_score):
            return False  # L-BFGS tells convergence by the gradient
        self.stopped = "early_stopping" if by_score else "converged"
        self._say(f"{why} Training stops.")
        return True

    def _has_spent_all(self, info: EpochInfo) -> bool:
        """Whether L-BFGS has evaluated the loss as often as it may."""
        if self.parameters.takes_all_rows:
            self.evaluations += info.trainer._native.evaluations()  # noqa: SLF001
            self.exhausted = self.evaluations >= self.parameters.max_fun
        return self.exhausted

    def _say(self, text: str) -> None:
        if self.parameters.verbose:
            print(text)  # noqa: T201  (as verbose=True asks for)
