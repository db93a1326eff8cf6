"""`lr_find`: the learning rates at which a network learns, found in one short run."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastnn import _extras
from fastnn._config import from_name, nearest
from fastnn._recipe import check_network
from fastnn._validation import Data, TableLike, check_int, check_number
from fastnn.errors import DivergedError
from fastnn.losses import Loss, LossFunction, resolve_loss
from fastnn.optim import LBFGS, OPTIMIZERS, Optimizer
from fastnn.schedules import Exponential
from fastnn.sequential import Sequential
from fastnn.trainer import Trainer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LearningRates", "lr_find", "valley"]

Array = npt.NDArray[Any]

_DIVERGED = 4.0  # times the best loss
_FEWEST = 5  # losses that a shape can be seen in


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LearningRates:
    """The losses of `lr_find` and the learning rates they suggest.

    Attributes
    ----------
    lrs : ndarray of shape (steps,)
        The rates, each a constant factor above the one before, up to where the loss
        diverged.
    losses : ndarray of shape (steps,)
        The loss of the batch at each rate, before its step.
    smoothed : ndarray of shape (steps,)
        Their exponential average, with bias correction.
    stopped : bool
        Whether the loss diverged before the largest rate.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> found = fnn.lr_find(fnn.Sequential(fnn.Dense(1)), X, X[:, 0], loss="mse")
    >>> 1e-3 < found.suggestion < 1.0
    True
    """

    lrs: Array
    losses: Array
    smoothed: Array
    stopped: bool

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss falls fastest over the logarithm.

        Its slope is that of a line through an eighth of the steps around it, by least
        squares: the noise of single batches has none. None if the loss never fell, or
        there are fewer than 5 losses.
        """
        if len(self.lrs) < _FEWEST:
            return None
        lowest = int(np.argmin(self.smoothed))  # beyond it falls are but noise
        if lowest == 0:
            return None
        half = max(1, len(self.lrs) // 16)
        slope = np.correlate(self.smoothed, np.arange(-half, half + 1.0), "valid")
        within = slope[: max(lowest - half, 0) + 1]
        return float(self.lrs[half + np.argmin(within)])

    @property
    def valley(self) -> float | None:
        """The rate two thirds along the longest fall of the smoothed loss.

        The fall is the longest subsequence of losses each of which is below the one
        before: small bumps do not end it, a noisy plateau adds little to it. One of
        fewer than 5 losses suggests no rate: None.
        """
        fall = valley(self.smoothed)
        if len(fall) < _FEWEST:
            return None
        return float(self.lrs[fall[2 * len(fall) // 3]])

    @property
    def suggestion(self) -> float | None:
        """The valley; None if the loss never fell."""
        return self.valley

    def __repr__(self) -> str:
        shown = {
            "steps": str(len(self.lrs)),
            "suggestion": _rate(self.suggestion),
            "valley": _rate(self.valley),
            "steepest": _rate(self.steepest),
            "stopped": str(self.stopped),
        }
        return f"LearningRates({', '.join(f'{k}={v}' for k, v in shown.items())})"

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw loss over learning rate, and what it suggests.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; None: a new figure.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no losses.

        Examples
        --------
        ``fnn.lr_find(net, X, y).plot().figure.savefig("rates.png")``
        """
        pyplot = _extras.pyplot("LearningRates.plot")
        if not len(self.losses):
            raise ValueError("plot: there are no losses to draw")
        if ax is None:
            _, ax = pyplot.subplots(layout="constrained")
        ax.plot(self.lrs, self.losses, color="grey", alpha=0.4, label="loss")
        ax.plot(self.lrs, self.smoothed, label="smoothed")
        for name, colour in (("steepest", "C2"), ("valley", "C1")):
            lr = getattr(self, name)
            if lr is not None:
                height = self.smoothed[np.searchsorted(self.lrs, lr)]
                ax.plot(lr, height, "o", color=colour, label=f"{name}: {lr:.2g}")
        ax.set_xscale("log")
        ax.set_ylim(*_limits(self.losses, self.smoothed))
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        ax.legend()
        return ax


def lr_find(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction = "cross_entropy",
    optimizer: str | Optimizer = "adam",
    min_lr: float = 1e-7,
    max_lr: float = 10.0,
    steps: int = 100,
    batch_size: int = 128,
    smoothing: float = 0.8,
    sample_weight: npt.ArrayLike | None = None,
    **options: Any,
) -> LearningRates:
    """Train for some steps with a rate that grows from each to the next, and watch.

    Far too small rates leave the loss where it is, good ones make it fall, too large
    ones make it rise: the curve of the loss over the rate shows them all. The rate of
    step t is ``min_lr * (max_lr / min_lr) ** (t / (steps - 1))``; the run ends when the
    smoothed loss is more than 4 times the best one, or not finite.

    The run trains a copy: whatever happens, an error or Ctrl-C, the network's weights,
    running statistics and progress of the random numbers are untouched, and one that
    was not built is not.

    Parameters
    ----------
    net : Sequential
        The network to try rates for, from the weights it has. It stays as it is.
    X, y : array-like
        As for `Sequential.fit`; batches are drawn in random order by the network's
        seed, epoch after epoch.
    loss, optimizer
        As for `Sequential.fit`; the optimizer's own rate is not used. `LBFGS`, which
        searches its steps, is refused.
    min_lr, max_lr : float, default 1e-7 and 10.0
        The first and the last rate, ``0 < min_lr < max_lr``.
    steps : int, default 100
        From the first rate to the last, >= 2.
    batch_size : int, default 128
        Rows per step, >= 1. The best rate depends on it.
    smoothing : float, default 0.8
        In [0, 1): what each smoothed loss keeps of the one before. With bias
        correction, ``s_t / (1 - smoothing ** (t + 1))``. More lags behind.
    sample_weight : array-like of shape (n,), optional
        Weights >= 0 of the rows.
    **options
        All others of `Trainer` but the schedule: l1, l2, max_norm, clip_norm,
        clip_value, gradient_noise, n_threads.

    Returns
    -------
    LearningRates
        ``lrs``, ``losses``, ``smoothed``; ``suggestion``, ``valley`` and ``steepest``;
        ``plot()``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable.
    DivergedError
        If not even the first step, at `min_lr`, is finite: there is no loss to show.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks,
    arXiv:1506.01186.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> net = fnn.Sequential(fnn.Dense(32, "relu"), fnn.Dense(2))
    >>> found = fnn.lr_find(net, X, y, optimizer="adam")
    >>> history = net.fit(X, y, optimizer=fnn.Adam(lr=found.suggestion), epochs=30)
    """
    if "schedule" in options:
        raise TypeError("schedule: the rate grows by itself here: leave it out")
    _check_names(options)
    lowest = check_number("min_lr", min_lr, above=0.0)
    highest = check_number("max_lr", max_lr, above=lowest)
    if not math.isfinite(highest / lowest):
        raise ValueError(
            f"max_lr must be within the range of float64 times min_lr={lowest:g}, got "
            f"{highest:g}: begin with a larger rate"
        )
    n_steps = check_int("steps", steps, 2)
    keeps = check_number("smoothing", smoothing, at_least=0.0, below=1.0)
    rows = check_int("batch_size", batch_size, 1)
    used = resolve_loss(loss)
    factor = (highest / lowest) ** (1 / (n_steps - 1))
    trainer = Trainer(
        check_network(net).copy(),
        loss=used,
        optimizer=_with_rate(optimizer, lowest),
        schedule=Exponential(factor, per="step"),
        **options,
    )
    data = net._checked_data(X, y, sample_weight, used)  # noqa: SLF001
    losses, smoothed = _run(trainer, _batches(data, rows, net.seed), n_steps, keeps)
    return LearningRates(
        lrs=lowest * factor ** np.arange(len(losses)),
        losses=np.array(losses),
        smoothed=np.array(smoothed),
        stopped=len(losses) < n_steps,
    )


def _check_names(options: dict[str, Any]) -> None:
    """Raise TypeError for an option that neither this function nor `Trainer` has."""
    names = dict.fromkeys(
        name
        for call in (lr_find, Trainer)
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD and name != "schedule"
    )
    for name in options:
        if name not in names:
            raise TypeError(
                f"lr_find has no option {name!r}{nearest(name, tuple(names)) or ''}"
            )


def _with_rate(optimizer: object, lr: float) -> Optimizer:
    rule = from_name("optimizer", optimizer, Optimizer, OPTIMIZERS)
    if isinstance(rule, LBFGS):
        raise ValueError(  # noqa: TRY004  (an optimizer, but not here)
            "optimizer: LBFGS searches the length of its steps itself: there is no "
            "rate to find"
        )
    return dataclasses.replace(rule, lr=lr)  # type: ignore[call-arg]


def _batches(data: Data, size: int, seed: int) -> Iterator[Data]:
    """Yield batches in random order, epoch after epoch, the short last one left out."""
    generator = np.random.default_rng(seed)
    size = min(size, len(data))
    while True:
        order = generator.permutation(len(data))
        for begin in range(0, len(data) - size + 1, size):
            batch = data.rows(order[begin : begin + size])
            if batch.weight is None or batch.weight.any():  # of none nothing is learnt
                yield batch


def _run(
    trainer: Trainer, batches: Iterator[Data], steps: int, keeps: float
) -> tuple[list[float], list[float]]:
    """Return the losses, and smoothed, until they diverge."""
    losses: list[float] = []
    smoothed: list[float] = []
    average = 0.0
    for t in range(steps):
        batch = next(batches)
        X: Any = batch.X
        try:
            loss = trainer.step(X, batch.y, batch.weight)
        except DivergedError as error:
            if losses:
                break
            raise _nothing_seen(error) from None
        average = keeps * average + (1 - keeps) * loss
        losses.append(loss)
        smoothed.append(average / (1 - keeps ** (t + 1)))
        best = min(smoothed)  # may be negative: four times it is no bound then
        if smoothed[-1] > best + (_DIVERGED - 1) * abs(best):
            break
    return losses, smoothed


def _nothing_seen(error: DivergedError) -> DivergedError:
    return DivergedError(
        epoch=error.epoch,
        step=error.step,
        lr=error.lr,
        what=f"{error.what}; it was the first step of lr_find, so there is no loss to "
        f"show: scale X (and y, of a loss for numbers) to mean 0 and variance 1, or "
        f"begin with a smaller min_lr than {error.lr:g}",
    )


def valley(values: npt.ArrayLike) -> list[int]:
    """Return the positions of the longest subsequence in which each value is lower.

    Of several, the one whose values are lowest (patience sorting, O(n log n)).

    Examples
    --------
    >>> from fastnn.model_selection.range_test import valley
    >>> valley([9.0, 5.0, 7.0, 4.0, 8.0, 3.0, 6.0])
    [0, 2, 3, 5]
    """
    rising = -np.asarray(values, dtype=np.float64)
    ends: list[int] = []  # position at which the best subsequence of each length ends
    before: list[int] = []
    for i, value in enumerate(rising):
        length = int(np.searchsorted([rising[j] for j in ends], value))
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [i]
    chain, i = [], ends[-1] if ends else -1
    while i >= 0:
        chain.append(i)
        i = before[i]
    return chain[::-1]


def _rate(lr: float | None) -> str:
    return "None" if lr is None else f"{lr:.2g}"


def _limits(losses: Array, smoothed: Array) -> tuple[float, float]:
    """Return the range of losses to draw: all but the far end of a divergence."""
    low, first = float(losses.min()), float(smoothed[0])
    height = max(first - low, 0.1 * abs(first), 1e-12)
    return low - 0.1 * height, low + 1.5 * height
