"""What a fit has to tell."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History", "StopReason"]

StopReason: TypeAlias = Literal[
    "epochs", "early_stopping", "converged", "callback", "diverged"
]


@dataclasses.dataclass(repr=False)
class History:
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
    stop_reason : {"epochs", "early_stopping", "converged", "callback", "diverged"}
        Why the fit ended. "converged": `LBFGS` met a tolerance, or found no lower loss
        that rounding lets it tell apart.

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
                if key not in ("lr", "seconds")
            ]
        return f"History({', '.join(shown)})"

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
        ``history.to_frame()[["loss", "val_loss"]].plot()`` draws both curves.
        """
        try:
            pd: Any = importlib.import_module("pandas")
        except ModuleNotFoundError as error:
            raise ImportError(
                "History.to_frame needs pandas: pip install pandas"
            ) from error
        return pd.DataFrame(self.history, index=pd.Index(self.epoch, name="epoch"))

    def plot(self, key: str = "loss", *, ax: Axes | None = None) -> Axes:
        """Draw one curve, its validation twin and the best epoch.

        Parameters
        ----------
        key : str, default "loss"
            A key of ``history``.
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
            If the fit has no such curve.

        Examples
        --------
        ``history.plot("accuracy").figure.savefig("accuracy.png")``
        """
        if not isinstance(key, str) or key not in self.history:
            raise ValueError(
                f"key: this fit has no curve {key!r}; it has {', '.join(self.history)}"
            )
        try:
            import matplotlib.pyplot as plt  # noqa: PLC0415  (an optional package)
        except ModuleNotFoundError as error:
            raise ImportError(
                "History.plot needs matplotlib: pip install 'fastnn[plot]'"
            ) from error
        if ax is None:
            _, ax = plt.subplots()
        for name in (key, f"val_{key}"):
            if name in self.history:
                ax.plot(self.epoch, self.history[name], label=name)
        ax.axvline(self.best_epoch, color="grey", linestyle=":", label="best epoch")
        ax.set_xlabel("epoch")
        ax.set_ylabel(key)
        ax.legend()
        return ax

    @classmethod
    def from_report(cls, report: dict[str, Any]) -> History:
        """Take over the engine's report of a fit."""
        return cls(report["history"], report["best_epoch"], report["stop_reason"])
