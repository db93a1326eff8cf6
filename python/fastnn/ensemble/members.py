"""`Ensemble`: the same network trained from several seeds, side by side."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn._fit_options import check_verbose
from fastnn._progress import Progress
from fastnn._recipe import Recipe, told
from fastnn._side_by_side import derived_seed, side_by_side
from fastnn._validation import (
    Data,
    TableLike,
    check_bool,
    check_int,
    check_number,
    split_data,
)
from fastnn.ensemble.committee import Committee
from fastnn.history import History
from fastnn.losses import Loss
from fastnn.sequential import Sequential

__all__ = ["Ensemble"]


class Ensemble(Committee):
    """Several networks of one description, trained apart, that predict together.

    Members differ by their seeds, and so by initial weights, shuffles and masks. Where
    they err differently, their mean errs less than each; where they disagree, the
    prediction is unsure: the spread that ``predict(X, return_std=True)`` gives.

    Parameters
    ----------
    net : Sequential
        Describes the members: its layers, dtype and seed, from which theirs are
        derived. It is neither trained nor changed, and its weights, if it has any, are
        not theirs.
    n : int, default 5
        Members, >= 1. The first ones of a larger ensemble are those of a smaller one.
    bootstrap : bool, default False
        Whether each member gets as many rows as there are, drawn with replacement
        (bagging, Breiman 1996). For networks all rows are usually better (Lakshmi-
        narayanan et al. 2017): different seeds make them differ enough.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, or `net` has frozen layers: members draw their own.

    Notes
    -----
    Members train side by side, each on one thread: ten small networks take two
    processors little more than the time of five. The bits of each are those it has
    when trained alone, for any number of threads.

    It can be pickled; ``members[i].save(path)`` writes one network to a file.

    References
    ----------
    Hansen and Salamon (1990), Neural network ensembles. Breiman (1996), Bagging
    predictors. Lakshminarayanan, Pritzel and Blundell (2017), Simple and scalable
    predictive uncertainty estimation using deep ensembles, arXiv:1612.01474.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1))
    >>> ensemble = fnn.Ensemble(net, n=3)
    >>> histories = ensemble.fit(
    ...     X, X[:, 0] ** 2, loss="mse", optimizer=fnn.Adam(lr=0.01), epochs=100
    ... )
    >>> mean, std = ensemble.predict([[0.0], [9.0]], return_std=True)
    >>> bool(std[0] < std[1])
    True
    """

    def __init__(self, net: Sequential, n: int = 5, *, bootstrap: bool = False) -> None:
        super().__init__(net, "an ensemble")
        self._bootstrap = check_bool("bootstrap", bootstrap)
        members = (
            net._redrawn(derived_seed(net.seed, i))  # noqa: SLF001
            for i in range(check_int("n", n, 1))
        )
        self._fitted = (tuple(members), None)

    def __repr__(self) -> str:
        return (
            f"Ensemble({self._net!r}, n={len(self.members)}, "
            f"bootstrap={self._bootstrap})"
        )

    def fit(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        *,
        n_threads: int | None = None,
        verbose: int = 0,
        **options: Any,
    ) -> list[History]:
        """Train all members on (X, y) and return their curves.

        A second fit goes on from the members' weights, as `Sequential.fit` does. The
        members are replaced together when all are trained: until then, and after an
        error or Ctrl-C, they are those from before, also to other threads.

        Parameters
        ----------
        X, y : array-like
            As for `Sequential.fit`. They are converted once for all members.
        n_threads : int, optional
            Members that train at a time. None: the setting of `set_num_threads`, else
            all the process may use.
        verbose : {0, 1, 2}, default 0
            1 shows a progress bar over members on stderr, 2 prints a line for each.
        **options
            All others of `Sequential.fit`: loss, optimizer, epochs, sample_weight,
            validation_data, class_weight ... Functions among the callbacks are called
            for every member, from the thread that trains it; those that serve one fit
            at a time, such as `Checkpoint` and `CSVLogger`, are refused.
            `validation_split` draws other rows for each member, by its seed; with
            `bootstrap` the member draws from the rest alone.

        Returns
        -------
        list of History
            One for each member, in order.

        Raises
        ------
        TypeError, ValueError
            If an argument is unusable.
        RuntimeError
            If another call fits this ensemble at the moment.
        DivergedError
            If a member's training does; it says which.

        Examples
        --------
        >>> import fastnn as fnn
        >>> ensemble = fnn.Ensemble(fnn.Sequential(fnn.Dense(2)), n=2)
        >>> histories = ensemble.fit([[0.0], [1.0]], [0, 1], epochs=3)
        >>> [len(history.epoch) for history in histories]
        [3, 3]
        """
        with self._one_fit:
            trained, loss = self._side_by_side(X, y, n_threads, verbose, options)
            self._fitted = (tuple(net for net, _ in trained), loss)
        return [history for _, history in trained]

    def _side_by_side(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        n_threads: int | None,
        verbose: int,
        options: dict[str, Any],
    ) -> tuple[list[tuple[Sequential, History]], Loss]:
        """Return trained copies of the members with their curves, and the loss."""
        members = self.members
        recipe = Recipe.checked(members[0], X, y, options)
        recipe.check_shared_callbacks("the members of an ensemble")
        with Progress(
            len(members), verbose=check_verbose(verbose), unit="member"
        ) as progress:
            trained = side_by_side(
                [functools.partial(self._trained, recipe, net) for net in members],
                unit="member",
                n_threads=n_threads,
                on_done=lambda one: progress.update(told(one[1])),
            )
        return trained, recipe.loss

    def _trained(
        self, recipe: Recipe, member: Sequential, n_threads: int | None
    ) -> tuple[Sequential, History]:
        """Return a trained copy of a member."""
        net, data, held = member.copy(), recipe.data, recipe.validation
        options: dict[str, Any] = {}
        if self._bootstrap:
            if held is None:  # split before: no row may be drawn into both parts
                data, held = _split(recipe, net.seed)
                options["validation_split"] = 0.0
            n = len(data)
            data = data.rows(np.random.default_rng(net.seed).integers(0, n, n))
        history = recipe.fit(net, data, validation=held, n_threads=n_threads, **options)
        return net, history


def _split(recipe: Recipe, seed: int) -> tuple[Data, Data | None]:
    """Return the rows that train and those that `validation_split` holds back."""
    part = recipe.options.get("validation_split", 0.0)
    share = check_number("validation_split", part, at_least=0, below=1)
    if share == 0:
        return recipe.data, None
    return split_data(recipe.data, share, recipe.loss, seed)
