"""What the size of a batch, and depth, do to time, training loss and validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn._recipe import Recipe, check_network, check_thawed
from fastnn._validation import (
    Data,
    TableLike,
    check_int,
    check_metrics,
    check_number,
    split_data,
)
from fastnn.errors import DivergedError
from fastnn.history import History
from fastnn.layers import Dense, Layer, Maxout, Residual
from fastnn.layers.chain import head_position
from fastnn.model_selection.study import Study
from fastnn.sequential import Sequential

__all__ = ["batch_size_study", "depth_study"]

_VALIDATION = 0.2  # the part held back if no validation data are given


def batch_size_study(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    batch_sizes: Sequence[int] = (8, 32, 128, 512),
    **options: Any,
) -> Study:
    """Train the same network with batches of several sizes, for as many epochs each.

    Small batches take many steps an epoch: more time, and more progress per epoch.
    Each run starts from the same weights and trains by itself, one after the other, so
    that the times compare.

    Parameters
    ----------
    net : Sequential
        Describes the network. It is neither trained nor changed, and its weights, if
        it has any, are not those the runs start from.
    X, y : array-like
        As for `Sequential.fit`.
    batch_sizes : sequence of int, default (8, 32, 128, 512)
        Each >= 1.
    **options
        All others of `Sequential.fit`: loss, optimizer, epochs, metrics ... Without
        `validation_data`, `validation_split` of the rows (by default 0.2) are held
        back, the same ones for all runs.

    Returns
    -------
    Study
        A table with ``plot()`` and ``to_frame()``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, or the network has frozen layers: runs draw new
        weights. A run that diverges is no error: its scores are NaN.

    References
    ----------
    Keskar et al. (2017), On large-batch training for deep learning: generalization gap
    and sharp minima, arXiv:1609.04836.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).normal(size=(500, 4))
    >>> y = (X[:, 0] > X[:, 1]).astype(int)
    >>> net = fnn.Sequential(fnn.Dense(16, "relu"), fnn.Dense(2))
    >>> study = fnn.batch_size_study(net, X, y, (10, 400), epochs=5)
    >>> study.scores["loss"][0] < study.scores["loss"][1]  # 40 steps an epoch, or 1
    True
    """
    check_thawed(check_network(net), "batch_size_study")
    if "batch_size" in options:
        raise TypeError("batch_size: this study varies it: pass batch_sizes")
    sizes = _settings("batch_sizes", batch_sizes, 1)
    runs = [(net._redrawn(net.seed), {"batch_size": size}) for size in sizes]  # noqa: SLF001
    return _study("batch_size", sizes, runs, X, y, options)


def depth_study(
    net: Sequential | Callable[[int], Sequential],
    X: TableLike,
    y: npt.ArrayLike,
    depths: Sequence[int] = (1, 2, 4, 8),
    **options: Any,
) -> Study:
    """Train networks of several depths alike.

    More layers can say more; whether training finds it is another matter, which the
    training loss tells (He et al. 2016: deeper plain networks train worse). One run
    goes after the other, so that the times compare.

    Parameters
    ----------
    net : Sequential or callable
        A network whose layers before its head, the last Dense or Maxout, are the block
        to repeat, such as ``Sequential(Dense(64), ReLU(), Dense(10))``: depth d has the
        block d times, depth 0 only what follows it. Or a function that returns a
        network of the depth it is given. The network is neither trained nor changed.
    X, y : array-like
        As for `Sequential.fit`.
    depths : sequence of int, default (1, 2, 4, 8)
        Each >= 0.
    **options
        As for `batch_size_study`.

    Returns
    -------
    Study
        A table with ``plot()`` and ``to_frame()``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, or the network has frozen layers: runs draw new
        weights. A run that diverges is no error: its scores are NaN.

    References
    ----------
    He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition,
    arXiv:1512.03385.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> net = fnn.Sequential(fnn.Dense(16, "relu"), fnn.Dense(2))
    >>> study = fnn.depth_study(net, X, y, (0, 1, 2), epochs=3)
    >>> study.parameters
    [10, 114, 386]
    """
    values = _settings("depths", depths, 0)
    if callable(net):
        nets = [_built_by_user(net, depth) for depth in values]
    else:
        check_thawed(check_network(net), "depth_study")
        nets = [_repeated(net, depth) for depth in values]
    return _study("depth", values, [(one, {}) for one in nets], X, y, options)


def _settings(argument: str, values: object, at_least: int) -> list[int]:
    """Return the values of a setting, each once."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(
            f"{argument} must be a sequence of integers, got {type(values).__name__} "
            f"{values!r}"
        )
    checked = [check_int(f"{argument}[{i}]", v, at_least) for i, v in enumerate(values)]
    if not checked:
        raise ValueError(f"{argument} is empty: give at least one value")
    if len(set(checked)) < len(checked):
        raise ValueError(f"{argument} holds a value twice: {checked}")
    return checked


def _built_by_user(build: Callable[[int], Sequential], depth: int) -> Sequential:
    net = build(depth)
    if not isinstance(net, Sequential):
        raise TypeError(
            f"net: the function must return a fastnn.Sequential, got "
            f"{type(net).__name__} for depth {depth}"
        )
    return check_thawed(net, "depth_study")._redrawn(net.seed)  # noqa: SLF001


def _repeated(net: Sequential, depth: int) -> Sequential:
    """Return the network with all layers before its head so many times."""
    end = head_position(net.layers)
    if not end:
        has = "no such layer" if end is None else "nothing before it"
        kinds = ", ".join(type(layer).__name__ for layer in net.layers)
        raise ValueError(
            "net: what stands before the last Dense or Maxout layer is repeated, but "
            f"this network ({kinds}) has {has}: give one with a hidden layer and a "
            "head, or a function that builds one of a depth"
        )
    loose = [_of_any_width(layer) for layer in net.layers]
    block = [*net.layers[:end], *loose[:end] * (depth - 1)] if depth else []
    return Sequential(*block, *loose[end:], seed=net.seed, dtype=net.dtype)


def _of_any_width(layer: Layer) -> Layer:
    """Return the layer without the width of the input that it declares."""
    if isinstance(layer, Residual):
        return layer.around(map(_of_any_width, layer.layers))
    if isinstance(layer, (Dense, Maxout)) and layer.in_features is not None:
        return dataclasses.replace(layer, in_features=None)
    return layer


def _study(
    setting: str,
    values: list[int],
    runs: list[tuple[Sequential, dict[str, Any]]],
    X: object,
    y: object,
    options: dict[str, Any],
) -> Study:
    recipe, train, held = _prepared(runs[0][0], X, y, options)
    names = ["loss", *check_metrics(recipe.options.get("metrics", ()), recipe.loss)]
    scores: dict[str, list[float]] = {
        name: [] for plain in names for name in (plain, f"val_{plain}")
    }
    histories = []
    for net, more in runs:
        history, found = _judged(recipe, net, train, held, more)
        histories.append(history)
        for name, kept in scores.items():
            kept.append(found.get(name, float("nan")))
    return Study(
        setting=setting,
        values=values,
        seconds=[_median_seconds(history) for history in histories],
        scores=scores,
        parameters=[net.n_parameters for net, _ in runs],
        histories=histories,
    )


def _prepared(
    net: Sequential, X: object, y: object, options: dict[str, Any]
) -> tuple[Recipe, Data, Data]:
    """Return the recipe, the rows that train and those that validate, for all runs."""
    given = dict(options)
    part = given.pop("validation_split", None)
    recipe = Recipe.checked(net, X, y, given)
    if recipe.validation is not None:
        if part:
            raise ValueError(
                "validation_data and validation_split are both given: keep one"
            )
        return recipe, recipe.data, recipe.validation
    share = check_number(
        "validation_split",
        _VALIDATION if part is None else part,
        above=0.0,
        below=1.0,
    )
    return recipe, *split_data(recipe.data, share, recipe.loss, net.seed)


def _judged(
    recipe: Recipe, net: Sequential, train: Data, held: Data, more: dict[str, Any]
) -> tuple[History, dict[str, float]]:
    """Train one network; return its curves and scores, none if it diverged."""
    try:
        history = recipe.fit(net, train, validation=held, **more)
    except DivergedError as error:
        return error.history or History({}, -1, "diverged"), {}
    scores: dict[str, float] = {}
    for prefix, part in (("", train), ("val_", held)):
        rows: Any = part.X
        found = net.evaluate(
            rows,
            part.y,
            sample_weight=part.weight,
            metrics=recipe.options.get("metrics", ()),
            n_threads=recipe.options.get("n_threads"),
        )
        scores.update({f"{prefix}{name}": value for name, value in found.items()})
    return history, scores


def _median_seconds(history: History) -> float:
    seconds = history.history.get("seconds")  # none if no epoch was finite
    return float(np.median(seconds)) if seconds else float("nan")
