"""What a fit has to tell."""

from __future__ import annotations

import dataclasses
import math
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastnn import _extras, _html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History", "StopReason"]

StopReason: TypeAlias = Literal[
    "epochs", "early_stopping", "converged", "callback", "diverged", "interrupted"
]

_CIRCUMSTANCES = ("lr", "seconds")  # keys of how an epoch was made, not what it gave
_FEW = 20
_FEWEST = 8  # epochs in which a loss can be said to have come to rest
_HINT = "the loss hardly fell; should it? fnn.diagnose(net, X, y, ...) tells why"


@dataclasses.dataclass(eq=False, repr=False)
class History:  # noqa: PLW1641  (its curves can be changed)
    """The curves of one fit and why it ended.

    Attributes
    ----------
    history : dict of str to list of float
        One value per epoch: "loss" (mean over the epoch's batches, penalties left
        out; with `LBFGS` the loss after the epoch's iterations), each metric, their
        "val_" twins, "lr" and "seconds".
    best_epoch : int
        Index of the best epoch by the value early stopping watched; without early
        stopping the last one; -1 if no epoch was finished.
    stop_reason : str
        Why the fit ended: "epochs", "early_stopping", "callback" or "diverged".
        "converged": `LBFGS` met a tolerance, or found no lower loss that rounding lets
        it tell apart. "interrupted": of an estimator, by Ctrl-C; of a thread, by the
        end of the process.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Dense(1))
    >>> history = net.fit([[0.0], [1.0]], [0.0, 2.0], loss="mse", epochs=3)
    >>> history.epoch, history.stop_reason, sorted(history.history)
    ([0, 1, 2], 'epochs', ['loss', 'lr', 'seconds'])
    """

    history: dict[str, list[float]]
    best_epoch: int
    stop_reason: StopReason

    @property
    def epoch(self) -> list[int]:
        """The epochs of this fit, counted from 0."""
        return list(range(len(self.history.get("loss", ()))))

    @property
    def plateaued(self) -> bool:
        """Whether the training loss came to rest before it fell much.

        The last quarter of at least 8 epochs lowered it by less than 1 %, and all of
        them by less than 3 % of the first epoch's. A fit that goes on from a converged
        one is like that too.
        """
        loss = self.history.get("loss", [])
        if len(loss) < _FEWEST or not loss[0] > 0:
            return False
        quarter = len(loss) // 4
        rests = min(loss[-quarter:]) > 0.99 * loss[-quarter - 1]
        return rests and min(loss) > 0.97 * loss[0]

    def __eq__(self, other: object) -> bool:
        """Whether these are the same curves and end; NaN is the same as NaN."""
        if not isinstance(other, History):
            return NotImplemented
        return (
            (self.best_epoch, self.stop_reason) == (other.best_epoch, other.stop_reason)
            and self.history.keys() == other.history.keys()
            and all(_same(v, other.history[key]) for key, v in self.history.items())
        )

    def __repr__(self) -> str:
        shown = [
            f"epochs={len(self.epoch)}",
            f"best_epoch={self.best_epoch}",
            f"stop_reason={self.stop_reason!r}",
        ]
        if self.epoch:
            shown += [
                f"{key}={values[self.best_epoch]:.4g}"
                for key, values in self.history.items()
                if key not in _CIRCUMSTANCES
            ]
        hint = f"\n{_HINT}" if self.plateaued else ""
        return f"History({', '.join(shown)}){hint}"

    def _repr_html_(self) -> str:
        best = f", best epoch {self.best_epoch}" if self.epoch else ""
        note = f"{len(self.epoch)} epochs{best}, stop reason: {self.stop_reason}"
        if self.plateaued:
            note += f"; {_HINT}"
        columns = [
            ("", "left"),
            ("", "left"),
            ("best epoch", "right"),
            ("last", "right"),
        ]
        rows = [
            (
                escape(key),
                _html.sparkline(values, self.best_epoch),
                f"{values[self.best_epoch]:.4g}",
                f"{values[-1]:.4g}",
            )
            for key, values in self.history.items()
            if values and key != "seconds"
        ]
        table = [_html.table(columns, rows)] if rows else []
        return _html.block(type(self).__name__, note, *table)

    def to_frame(self) -> Any:
        """Return the curves as a pandas data frame, one row per epoch.

        Returns
        -------
        pandas.DataFrame
            Its index is the epoch, its columns the keys of ``history``.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        ``history.to_frame()[["loss", "val_loss"]].plot()`` draws both curves. For
        polars, ``polars.DataFrame(history.history)`` says it all.
        """
        pd = _extras.pandas("History.to_frame")
        return pd.DataFrame(self.history, index=pd.Index(self.epoch, name="epoch"))

    def plot(
        self, key: str = "loss", *, ax: Axes | None = None, log: bool | None = None
    ) -> Axes:
        """Draw one curve, its validation twin and the best epoch.

        Parameters
        ----------
        key : str, default "loss"
            A key of ``history``.
        ax : matplotlib.axes.Axes, optional
            Where to draw; None: a new figure.
        log : bool, optional
            Whether the scale is logarithmic. None: if all values are positive and span
            more than two decades.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the fit has no such curve.

        Examples
        --------
        ``history.plot("accuracy").figure.savefig("accuracy.png")``
        """
        if not isinstance(key, str) or key not in self.history:
            raise ValueError(
                f"key: this fit has no curve {key!r}; it has {', '.join(self.history)}"
            )
        pyplot = _extras.pyplot("History.plot")
        if ax is None:
            _, ax = pyplot.subplots(layout="constrained")
        values: list[float] = []
        for name in (key, f"val_{key}"):
            if name in self.history:
                values += self.history[name]
                self._draw(name, ax)
        if self.epoch:
            self._mark_best(ax, with_dot=key not in _CIRCUMSTANCES)
        if _html.spans_decades(values) if log is None else log:
            ax.set_yscale("log")
        ax.set_xlabel("epoch")
        ax.set_ylabel(key)
        ax.xaxis.set_major_locator(pyplot.MaxNLocator(integer=True))
        ax.legend()
        return ax

    def plot_all(self) -> list[Axes]:
        """Draw the loss and each metric side by side, and a learning rate that moves.

        Returns
        -------
        list of matplotlib.axes.Axes
            One for each, as by `plot`, in one new figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If no epoch was finished.

        Examples
        --------
        ``history.plot_all()[0].figure.savefig("fit.png")``
        """
        keys = [key for key in self.history if self._has_panel(key)]
        if not self.epoch:
            raise ValueError(
                "History.plot_all: no epoch of this fit was finished: there is nothing "
                f"to draw (stop_reason={self.stop_reason!r})"
            )
        _, axes = _extras.pyplot("History.plot_all").subplots(
            1,
            len(keys),
            figsize=(4.8 * len(keys), 3.6),
            layout="constrained",
            squeeze=False,
        )
        return [self.plot(key, ax=ax) for key, ax in zip(keys, axes[0], strict=True)]

    def _has_panel(self, key: str) -> bool:
        """Whether `plot_all` draws it by itself, not as a twin or not at all."""
        if key in _CIRCUMSTANCES:
            return key == "lr" and len(set(self.history[key])) > 1
        return key.removeprefix("val_") == key or key[4:] not in self.history

    def _draw(self, name: str, ax: Axes) -> None:
        """Draw one curve; dots where a line alone would hide so few epochs."""
        dots = "." if len(self.epoch) <= _FEW else ""
        ax.plot(self.epoch, self.history[name], label=name, marker=dots)

    def _mark_best(self, ax: Axes, *, with_dot: bool) -> None:
        """Mark the best epoch, and its place on the curve drawn last."""
        best, curve = self.best_epoch, ax.lines[-1]
        ax.axvline(best, color="grey", linestyle=":", zorder=0, label="best epoch")
        if with_dot:
            value = np.asarray(curve.get_ydata())[best]
            ax.plot(best, value, "o", color=curve.get_color())

    @classmethod
    def from_report(cls, report: dict[str, Any]) -> History:
        """Take over the engine's report of a fit."""
        return cls(report["history"], report["best_epoch"], report["stop_reason"])


def _same(a: list[float], b: list[float]) -> bool:
    """Whether two curves hold the same numbers, NaN being one of them."""
    return len(a) == len(b) and all(
        x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True)
    )
