"""`SnapshotEnsemble`: the members of one run with restarts of the learning rate."""

from __future__ import annotations

import math
from typing import Any

import numpy.typing as npt

from fastnn._config import is_real
from fastnn._fit_options import sorted_callbacks
from fastnn._recipe import Recipe
from fastnn._validation import TableLike, check_int, split_rows
from fastnn.callbacks import SWA, EpochInfo
from fastnn.ensemble.committee import Committee
from fastnn.history import History
from fastnn.losses import Loss
from fastnn.schedules import CosineRestarts
from fastnn.sequential import Sequential

__all__ = ["SnapshotEnsemble"]


class SnapshotEnsemble(Committee):
    """Several networks for the time of one: snapshots along a single run.

    The learning rate falls along half a cosine in each cycle, step by step, so that the
    network settles, and is then set back, so that it leaves for another place. A copy
    is kept at the end of each cycle; the last ones predict together.

    Parameters
    ----------
    net : Sequential
        Describes the network: its layers, dtype and seed. It is neither trained nor
        changed, and its weights, if it has any, are not those the run starts from.
    cycles : int, default 5
        Cycles of a run, >= 1.
    last : int, optional
        How many of the last snapshots predict, 1 to `cycles`. None: all.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, or `net` has frozen layers: the run draws its own.

    Notes
    -----
    It can be pickled; ``members[i].save(path)`` writes one network to a file.

    References
    ----------
    Huang et al. (2017), Snapshot ensembles: train 1, get M for free, arXiv:1704.00109.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1))
    >>> ensemble = fnn.SnapshotEnsemble(net, cycles=4, last=3)
    >>> history = ensemble.fit(
    ...     X, X[:, 0] ** 2, loss="mse", optimizer=fnn.Adam(lr=0.03), epochs=80
    ... )
    >>> len(ensemble.members), ensemble.predict(X).shape
    (3, (64, 1))
    """

    def __init__(
        self, net: Sequential, cycles: int = 5, *, last: int | None = None
    ) -> None:
        super().__init__(net, "a snapshot ensemble")
        self._cycles = check_int("cycles", cycles, 1)
        self._last = self._cycles if last is None else check_int("last", last, 1)
        if self._last > self._cycles:
            raise ValueError(
                f"last must be <= cycles={self._cycles}, the snapshots of a run, got "
                f"{last}"
            )
        self._run = net._redrawn(net.seed)  # noqa: SLF001

    def __repr__(self) -> str:
        return (
            f"SnapshotEnsemble({self._net!r}, cycles={self._cycles}, last={self._last})"
        )

    def fit(
        self, X: TableLike, y: npt.ArrayLike, *, epochs: int = 50, **options: Any
    ) -> History:
        """Train one network and keep its snapshots.

        A second fit goes on from the last snapshot, and its snapshots replace those
        there are. Until it ends, and after an error or Ctrl-C, all is as before, also
        to other threads.

        Parameters
        ----------
        X, y : array-like
            As for `Sequential.fit`.
        epochs : int, default 50
            Of the whole run, a multiple of the number of cycles.
        **options
            All others of `Sequential.fit`, but `schedule`, `early_stopping` and
            `SWA`. The optimizer's rate is the one each cycle begins with.

        Returns
        -------
        History
            The curves of the run.

        Raises
        ------
        TypeError, ValueError
            If an argument is unusable.
        RuntimeError
            If another call fits this ensemble at the moment, or a callback ended the
            run before its first cycle was over.
        DivergedError
            If the training does.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(fnn.Dense(2))
        >>> ensemble = fnn.SnapshotEnsemble(net, cycles=2)
        >>> history = ensemble.fit([[0.0], [1.0]], [0, 1], epochs=4)
        >>> [round(lr, 5) for lr in history.history["lr"]]
        [0.001, 0.0005, 0.001, 0.0005]
        """
        with self._one_fit:
            snapshots, history, loss = self._fit(X, y, epochs, options)
            self._run, self._fitted = snapshots[-1], (snapshots[-self._last :], loss)
        return history

    def _fit(
        self, X: TableLike, y: npt.ArrayLike, epochs: int, options: dict[str, Any]
    ) -> tuple[tuple[Sequential, ...], History, Loss]:
        """Return the snapshots of a run, its curves, and its loss."""
        length = self._cycle_length(epochs)
        callbacks = self._checked_callbacks(options)
        net = self._run.copy()
        recipe = Recipe.checked(net, X, y, options)
        snapshots: list[Sequential] = []

        def keep(info: EpochInfo) -> None:
            if (info.epoch + 1) % length == 0:
                snapshots.append(info.net.copy())

        history = recipe.fit(
            net,
            recipe.data,
            validation=recipe.validation,
            epochs=epochs,
            schedule=CosineRestarts(length * _steps(recipe, net.seed), per="step"),
            callbacks=(keep, *callbacks),
        )
        if not snapshots:
            raise RuntimeError(
                f"the run ended after {len(history.epoch)} epochs, before its first "
                f"cycle of {length} was over: there is no snapshot to predict with"
            )
        return tuple(snapshots), history, recipe.loss

    def _cycle_length(self, epochs: object) -> int:
        """Return the epochs of a cycle."""
        total = check_int("epochs", epochs, 1)
        length, rest = divmod(total, self._cycles)
        if rest or not length:
            less, more = length * self._cycles, (length + 1) * self._cycles
            raise ValueError(
                f"epochs must be a multiple of cycles={self._cycles}, got {total}: "
                f"take {f'{less} or ' if less else ''}{more}"
            )
        return length

    def _checked_callbacks(self, options: dict[str, Any]) -> tuple[Any, ...]:
        """Return the callbacks; raise for options that make no sense here."""
        if options.get("schedule") is not None:
            raise ValueError(
                "schedule: a snapshot ensemble has its own, cosines with restarts: "
                "leave it out, and give the optimizer the rate to begin with"
            )
        callbacks = options.get("callbacks", ())
        stopping, average, functions = sorted_callbacks(
            options.get("early_stopping"), callbacks
        )
        if stopping is not None:
            raise ValueError(
                "early_stopping: a snapshot ensemble keeps the end of every cycle: "
                "leave it out, or take fewer epochs"
            )
        if isinstance(average, SWA):
            raise ValueError(  # noqa: TRY004  (a callback, but not here)
                "callbacks: SWA averages along one run, and its snapshots would be "
                "taken before the average: leave it out, or take EMA, whose averages "
                "the snapshots are of"
            )
        return functions if average is None else (average, *functions)


def _steps(recipe: Recipe, seed: int) -> int:
    """Return the steps of an epoch."""
    rows, part = len(recipe.data), recipe.options.get("validation_split", 0.0)
    if recipe.validation is None and is_real(part) and 0 < part < 1:
        rows = len(split_rows(rows, part, None, seed)[0])
    batch = check_int("batch_size", recipe.options.get("batch_size", 128), 1)
    return math.ceil(rows / batch)
