"""`Study`: what training costs and gives, over one setting."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import _extras, _html
from fastnn._tables import Columns, html_table, text_table
from fastnn.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Study"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Study:
    """The table of `batch_size_study` or `depth_study`.

    Attributes
    ----------
    setting : str
        What was varied: "batch_size" or "depth".
    values : list of int
        Its values, in the order given.
    seconds : list of float
        The median seconds of an epoch, validation included.
    scores : dict of str to list of float
        "loss" and each metric on the rows that train, and their "val_" twins on those
        that validate, of the network in the end. NaN where the training diverged.
    parameters : list of int
        How many numbers the network has.
    histories : list of History
        The curves of each run.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> net = fnn.Sequential(fnn.Dense(8, "relu"), fnn.Dense(1))
    >>> study = fnn.batch_size_study(net, X, X[:, 0], (10, 100), loss="mse", epochs=3)
    >>> study.values, sorted(study.scores)
    ([10, 100], ['loss', 'val_loss'])
    """

    setting: str
    values: list[int]
    seconds: list[float]
    scores: dict[str, list[float]]
    parameters: list[int]
    histories: list[History]

    def __repr__(self) -> str:
        return text_table(self._columns())

    def _repr_html_(self) -> str:
        note = f"over {self.setting}"
        return _html.block(type(self).__name__, note, html_table(self._columns()))

    def to_frame(self) -> Any:
        """Return the table as a pandas data frame, one row per value of the setting.

        Returns
        -------
        pandas.DataFrame
            Its index is the setting.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        ``study.to_frame()["val_loss"].idxmin()``
        """
        pd = _extras.pandas("Study.to_frame")
        return pd.DataFrame(dict(self._columns())).set_index(self.setting)

    def plot(self, key: str = "loss") -> list[Axes]:
        """Draw the seconds of an epoch, and a score with its validation twin.

        Parameters
        ----------
        key : str, default "loss"
            A key of ``scores``.

        Returns
        -------
        list of matplotlib.axes.Axes
            Two, side by side in one new figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such score.

        Examples
        --------
        ``study.plot("accuracy")[0].figure.savefig("study.png")``
        """
        if key not in self.scores:
            raise ValueError(
                f"key: this study has no score {key!r}; it has {', '.join(self.scores)}"
            )
        pyplot = _extras.pyplot("Study.plot")
        _, (cost, gain) = pyplot.subplots(
            1, 2, figsize=(9.6, 3.6), layout="constrained"
        )
        self._draw(cost, {"seconds an epoch": self.seconds})
        cost.yaxis.set_major_formatter(
            importlib.import_module("matplotlib.ticker").EngFormatter("s")
        )
        twins = [name for name in (key, f"val_{key}") if name in self.scores]
        self._draw(gain, {name: self.scores[name] for name in twins})
        gain.legend()
        cost.set_ylabel("seconds an epoch")
        gain.set_ylabel(key)
        return [cost, gain]

    def _draw(self, ax: Axes, curves: dict[str, list[float]]) -> None:
        """Draw curves over the setting, whose values, and no others, are marked."""
        order = np.argsort(self.values)
        x = np.asarray(self.values)[order]
        for name, values in curves.items():
            ax.plot(x, np.asarray(values)[order], "o-", label=name)
        if x[0] > 0 and x[-1] >= 8 * x[0]:
            ax.set_xscale("log", base=2)
        if _html.spans_decades([v for values in curves.values() for v in values]):
            ax.set_yscale("log")
        ax.set_xticks(x, [str(value) for value in x])
        ax.set_xticks([], minor=True)
        ax.set_xlabel(self.setting.replace("_", " "))

    def _columns(self) -> Columns:
        return {
            self.setting: self.values,
            "parameters": self.parameters,
            "epochs": [len(history.epoch) for history in self.histories],
            "seconds": self.seconds,
            **self.scores,
        }
