"""`cross_validate`: a network judged on rows it did not train on, fold by fold."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastnn._config import is_int
from fastnn._fit_options import check_verbose
from fastnn._progress import Progress
from fastnn._recipe import Recipe, check_network, check_thawed, told
from fastnn._side_by_side import derived_seed, side_by_side
from fastnn._validation import (
    TableLike,
    check_bool,
    check_int,
    labels_to_stratify,
)
from fastnn.errors import NotBuiltError
from fastnn.history import History
from fastnn.layers import Identity
from fastnn.model_selection.fold_results import CrossValidation
from fastnn.model_selection.folds import (
    by_time,
    checked_folds,
    fold_numbers,
    from_numbers,
    grouped,
)
from fastnn.model_selection.held_out import Fold
from fastnn.sequential import Sequential

__all__ = ["cross_validate"]

Array = npt.NDArray[Any]


def cross_validate(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    k: Any = 5,
    *,
    stratify: bool | None = None,
    groups: npt.ArrayLike | None = None,
    time: npt.ArrayLike | Literal[True] | None = None,
    seed: int | None = None,
    warm: bool = False,
    n_threads: int | None = None,
    verbose: int = 0,
    **options: Any,
) -> CrossValidation:
    """Train and validate the network k times, each time on another part of the rows.

    Every fold trains a network of its own, which its rows then judge: each row is
    validated by the one network that has not seen it. The folds run side by side, each
    on one thread; the bits of their results do not depend on the number of threads.

    Parameters
    ----------
    net : Sequential
        Describes the network. It is neither trained nor changed.
    X, y : array-like
        As for `Sequential.fit`. They are converted once for all folds.
    k : int, "n", splitter or iterable, default 5
        The number of folds, 2 to n. "n" or n: leave one out, every row is a fold.
        An object with ``split(X, y, groups)`` as scikit-learn's have, or pairs (rows
        that train, rows that validate), make folds of their own.
    stratify : bool, optional
        Whether each fold holds its share of each class. None: if y holds class labels
        and neither `groups` nor `time` is given.
    groups : array-like of shape (n,), optional
        Rows of one group, such as a patient's, stay in one fold. Folds are as even as
        that allows, not stratified.
    time : array-like of shape (n,) or True, optional
        Numbers, dates or datetimes that do not fall from row to row; True: the rows
        stand in order of time. Fold i trains on the first i + 1 of k + 1 parts and
        validates on the next one, so no network sees the future. Rows of one time stay
        together.
    seed : int, optional
        Draws the folds, >= 0. None: the network's.
    warm : bool, default False
        False: each fold draws initial weights by a seed of its own, derived from the
        network's. True: each starts from the weights the network has, which is honest
        only if these have not seen the rows. Frozen layers stay so, and are refused
        where weights are drawn.
    n_threads : int, optional
        Folds that train at a time. None: the setting of `set_num_threads`, else all the
        process may use.
    verbose : {0, 1, 2}, default 0
        1 shows a progress bar over folds on stderr, 2 prints a line for each.
    **options
        All others of `Sequential.fit`: loss, optimizer, epochs, metrics, sample_weight,
        class_weight ... but `validation_data`, which the folds are. With
        `validation_split` early stopping watches that part of the rows that train, and
        the fold's rows only score. Functions among the callbacks are called for every
        fold, from the thread that trains it.

    Returns
    -------
    CrossValidation
        ``scores`` by name and fold, ``mean``, ``std``, ``out_of_fold`` predictions,
        ``histories``, ``indices``, and ``epochs`` to refit on all rows with.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable: k beyond the rows, a class with fewer rows or fewer
        groups than k, times that are not sorted; without `warm` a network with frozen
        layers.
    NotBuiltError
        With `warm`, if the network has no weights yet.
    DivergedError
        If the training of a fold does; it says which.

    Notes
    -----
    After each epoch the fold's rows are validated on; early stopping with the fold's
    best epoch therefore flatters its score a little. `validation_split` does not.

    What is learnt from the rows before (means to subtract, features to choose) leaks
    into the validation if it is learnt from all. Where that matters, put it into a
    pipeline of scikit-learn with `MLPClassifier` or `MLPRegressor`, and let
    scikit-learn's ``cross_validate`` train both on each fold.

    References
    ----------
    Stone (1974), Cross-validatory choice and assessment of statistical predictions.
    Kohavi (1995), A study of cross-validation and bootstrap for accuracy estimation and
    model selection.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).normal(size=(90, 2))
    >>> y = (X[:, 0] > X[:, 1]).astype(int)
    >>> net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(2))
    >>> result = fnn.cross_validate(
    ...     net, X, y, k=3, optimizer=fnn.Adam(lr=0.03), epochs=50,
    ...     early_stopping=True, metrics=("accuracy",),
    ... )
    >>> result.scores["accuracy"].shape, bool(result.mean["accuracy"] > 0.9)
    ((3,), True)
    >>> history = net.fit(X, y, optimizer=fnn.Adam(lr=0.03), epochs=result.epochs)
    """
    check_network(net)
    if options.get("validation_data") is not None:
        raise ValueError(
            "validation_data: the folds validate on rows of X: leave it out, or use fit"
        )
    start = _start(net, warm)
    recipe = Recipe.checked(net, X, y, options)
    recipe.check_shared_callbacks("the folds of a cross-validation")
    wishes = _Wishes(stratify, groups, time, net.seed if seed is None else seed)
    folds = _folds(k, (X, y), recipe, wishes)
    _check_weights(recipe, folds)
    with Progress(len(folds), verbose=check_verbose(verbose), unit="fold") as progress:
        found = side_by_side(
            [
                functools.partial(_judged, recipe, start, folds, i)
                for i in range(len(folds))
            ],
            unit="fold",
            n_threads=n_threads,
            on_done=lambda one: progress.update(told(one.history)),
        )
    return _gathered(recipe, folds, found)


@dataclasses.dataclass(frozen=True)
class _Wishes:
    """How a user wants the folds to be made."""

    stratify: bool | None
    groups: npt.ArrayLike | None
    time: npt.ArrayLike | Literal[True] | None
    seed: int


@dataclasses.dataclass(frozen=True)
class _Judged:
    """What one fold gave."""

    history: History
    scores: dict[str, float]
    outputs: Array
    shares: Array | None


def _start(net: Sequential, warm: bool) -> Sequential:
    """Return the network that the folds copy, one without weights unless warm."""
    if not check_bool("warm", warm):
        instead = "warm=True keeps those the network has, or "
        return check_thawed(net, "cross_validate", instead=instead)._redrawn(net.seed)  # noqa: SLF001
    if net._native is None:  # noqa: SLF001
        raise NotBuiltError(
            "warm: this network has no weights to start from yet: fit it, or call "
            "net.build(in_features), or leave warm out"
        )
    return net.copy()


def _folds(
    k: Any, given: tuple[Any, Any], recipe: Recipe, wishes: _Wishes
) -> Sequence[Fold]:
    """Return the folds, made by number or by the user."""
    n_rows = len(recipe.data)
    _check_wishes(wishes)
    if hasattr(k, "split") and not isinstance(k, str):
        if wishes.time is not None:
            raise ValueError("time: a splitter makes the folds: leave time out")
        return checked_folds(k.split(*given, wishes.groups), n_rows)
    if not is_int(k) and not isinstance(k, (str, float, bool)) and k is not None:
        if wishes.groups is not None or wishes.time is not None:
            raise ValueError("groups, time: k holds the folds itself: leave them out")
        try:
            pairs = iter(k)
        except TypeError:
            raise _not_k(k) from None
        return checked_folds(pairs, n_rows)
    count = _count(k, n_rows)
    if wishes.time is not None:
        return by_time(wishes.time, n_rows, count)
    seed = check_int("seed", wishes.seed, 0, below=2**64)
    if wishes.groups is not None:
        return from_numbers(grouped(wishes.groups, n_rows, count, seed), count)
    if count == n_rows and not wishes.stratify:
        return from_numbers(np.arange(n_rows), count)
    labels = _labels(recipe, wishes.stratify)
    return from_numbers(fold_numbers(n_rows, count, labels, seed), count)


def _check_weights(recipe: Recipe, folds: Sequence[Fold]) -> None:
    """Raise ValueError if the rows of a part of a fold weigh nothing."""
    weight = recipe.data.weight
    if weight is None:
        return
    for i, fold in enumerate(folds):
        for rows, use in zip(fold, ("trains", "validates"), strict=True):
            if not weight[rows].any():
                raise ValueError(
                    f"sample_weight is zero for all {len(rows)} rows that fold {i} "
                    f"{use} on: take fewer folds, or leave out rows that weigh nothing"
                )


def _check_wishes(wishes: _Wishes) -> None:
    if wishes.groups is not None and wishes.time is not None:
        raise ValueError("groups and time are both given: keep one")
    if wishes.stratify is None or not check_bool("stratify", wishes.stratify):
        return
    for name in ("groups", "time"):
        if getattr(wishes, name) is not None:
            raise ValueError(
                f"stratify: folds by {name} cannot also be stratified: keep one"
            )


def _count(k: Any, n_rows: int) -> int:
    """Return the number of folds."""
    if isinstance(k, str) and k == "n":
        k = n_rows
    if not is_int(k):
        raise _not_k(k)
    if k < 2:
        raise ValueError(f"k must be >= 2, got {k}")
    if k > n_rows:
        raise ValueError(
            f"k must be <= {n_rows}, the number of rows, got {k}: k='n' leaves one out"
        )
    return int(k)


def _not_k(k: object) -> TypeError:
    return TypeError(
        "k must be a number of folds, 'n' to leave one out, a splitter with "
        f"split(X, y, groups), or pairs of row numbers, got {type(k).__name__} {k!r}"
    )


def _labels(recipe: Recipe, stratify: bool | None) -> Array | None:
    """Return the labels to stratify by, if it is to be."""
    if stratify is False:
        return None
    labels = labels_to_stratify(recipe.data.y, recipe.loss)
    if labels is None and stratify:
        raise ValueError(
            f"stratify: y of loss {recipe.loss.kind!r} holds no class labels to "
            "stratify by: leave it out"
        )
    return labels


def _judged(
    recipe: Recipe,
    start: Sequential,
    folds: Sequence[Fold],
    index: int,
    n_threads: int | None,
) -> _Judged:
    """Train a copy of the network on one part and judge it on the other."""
    if start._native is None:  # noqa: SLF001
        net = start._redrawn(derived_seed(start.seed, index))  # noqa: SLF001
    else:
        net = start.copy()
    train, held = (recipe.data.rows(rows) for rows in folds[index])
    watched = None if recipe.options.get("validation_split") else held
    history = recipe.fit(net, train, validation=watched, n_threads=n_threads)
    X: Any = held.X
    scores = net.evaluate(
        X,
        held.y,
        sample_weight=held.weight,
        metrics=recipe.options.get("metrics", ()),
        n_threads=n_threads,
    )
    if "r2" in scores and len(held) == 1:
        scores["r2"] = float("nan")  # one row has no variance to explain
    shares = None
    if recipe.loss.targets in ("classes", "labels") and recipe.loss.are_logits:
        shares = net.predict_proba(X, n_threads=n_threads)
    return _Judged(history, scores, net.predict(X, n_threads=n_threads), shares)


def _gathered(
    recipe: Recipe, folds: Sequence[Fold], found: list[_Judged]
) -> CrossValidation:
    n_rows = len(recipe.data)
    held = [validation for _, validation in folds]
    shares = [one.shares for one in found if one.shares is not None]
    outputs = _out_of_fold(held, [one.outputs for one in found], n_rows)
    return CrossValidation(
        scores={
            name: np.array([one.scores[name] for one in found])
            for name in found[0].scores
        },
        pooled=_pooled(recipe, np.unique(np.concatenate(held)), outputs),
        out_of_fold=outputs,
        out_of_fold_proba=_out_of_fold(held, shares, n_rows) if shares else None,
        indices=folds,
        histories=[one.history for one in found],
    )


def _pooled(recipe: Recipe, rows: Array, outputs: Array) -> dict[str, float]:
    """Return the scores of the predictions of these rows, whoever made them."""
    y, weight = recipe.data.y[rows], recipe.data.weight
    judge = Sequential(Identity(), dtype=str(outputs.dtype)).build(outputs.shape[1])
    return judge.evaluate(
        outputs[rows],
        y,
        loss=recipe.loss,
        metrics=recipe.options.get("metrics", ()),
        sample_weight=None if weight is None else weight[rows],
    )


def _out_of_fold(held: list[Array], parts: list[Array], n_rows: int) -> Array:
    """Return the rows' predictions in place, the mean of several, NaN of none."""
    total = np.zeros((n_rows, parts[0].shape[1]), parts[0].dtype)
    times = np.zeros((n_rows, 1), parts[0].dtype)
    for rows, part in zip(held, parts, strict=True):
        np.add.at(total, rows, part)
        np.add.at(times, rows, 1)
    mean = np.full_like(total, np.nan)
    np.divide(total, times, out=mean, where=times > 0)
    return mean
