"""`CrossValidation`: what the folds have to tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn import _extras, _html
from fastnn._tables import Columns, html_table, text_table
from fastnn.history import History
from fastnn.model_selection.held_out import Fold

__all__ = ["CrossValidation"]

Array = npt.NDArray[Any]

_MOST_ROWS = 20  # of a table that is shown


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CrossValidation:
    """The scores, curves and out-of-fold predictions of `cross_validate`.

    Attributes
    ----------
    scores : dict of str to ndarray of shape (k,)
        "loss" and each metric on the rows that validate, fold by fold, of the network
        as its fit left it (with early stopping: the best epoch's).
    pooled : dict of str to float
        The same of all out-of-fold predictions together: what to read where folds are
        too small for a metric (of one row "auc" and "r2" are NaN).
    out_of_fold : ndarray of shape (n, out_features)
        For each row what ``predict`` of the network says that did not train on it: the
        mean of several, NaN where no fold validates on the row (the first ones by
        time).
    out_of_fold_proba : ndarray of shape (n, out_features) or None
        The same of ``predict_proba``; None for losses that have no probabilities.
    indices : sequence of (ndarray, ndarray)
        The numbers of the rows that train and that validate in each fold.
    histories : list of History
        The curves of each fold.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> net = fnn.Sequential(fnn.Dense(1))
    >>> result = fnn.cross_validate(net, X, 2 * X, k=3, loss="mse", epochs=2)
    >>> [len(validation) for train, validation in result.indices]
    [20, 20, 20]
    >>> bool(result.mean["loss"] == result.scores["loss"].mean())
    True
    """

    scores: dict[str, Array]
    pooled: dict[str, float]
    out_of_fold: Array
    out_of_fold_proba: Array | None
    indices: Sequence[Fold]
    histories: list[History]

    @property
    def mean(self) -> dict[str, float]:
        """The mean over the folds of each score."""
        return {name: float(values.mean()) for name, values in self.scores.items()}

    @property
    def std(self) -> dict[str, float]:
        """The standard deviation over the folds, their number being the divisor."""
        return {name: float(values.std()) for name, values in self.scores.items()}

    @property
    def best_epoch(self) -> int:
        """The mean of the folds' best epochs, rounded, counted from 0 as theirs are."""
        return round(float(np.mean([h.best_epoch for h in self.histories])))

    @property
    def epochs(self) -> int:
        """How many epochs to refit on all rows with: up to the mean best epoch."""
        return self.best_epoch + 1

    def __repr__(self) -> str:
        mean, std = self.mean, self.std
        scores = [f"{name}={mean[name]:.4g} ± {std[name]:.2g}" for name in mean]
        shown = [f"k={len(self.indices)}", *scores, f"epochs={self.epochs}"]
        return f"CrossValidation({', '.join(shown)})"

    def __str__(self) -> str:
        """Return a table of the folds, their mean and deviation."""
        return text_table(self._table())

    def _repr_html_(self) -> str:
        note = f"{len(self.indices)} folds, {self.epochs} epochs to refit with"
        return _html.block(type(self).__name__, note, html_table(self._table()))

    def to_frame(self) -> Any:
        """Return a pandas data frame, one row per fold.

        Returns
        -------
        pandas.DataFrame
            Its index is the fold; its columns are "rows" that validate, "best_epoch"
            and the scores.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        ``result.to_frame()["loss"].describe()``
        """
        pd = _extras.pandas("CrossValidation.to_frame")
        columns = self._columns()
        return pd.DataFrame(
            columns, index=pd.RangeIndex(len(self.indices), name="fold")
        )

    def _columns(self) -> Columns:
        return {
            "rows": [len(validation) for _, validation in self.indices],
            "best_epoch": [history.best_epoch for history in self.histories],
            **{name: values.tolist() for name, values in self.scores.items()},
        }

    def _table(self) -> Columns:
        """Return the columns, cut if they are long, with mean and deviation below."""
        k = len(self.indices)
        shown = list(range(min(k, _MOST_ROWS)))
        cut = [] if len(shown) == k else ["..."]
        folds = [*map(str, shown), *cut, "mean", "std"]
        table: dict[str, list[object]] = {"fold": [*folds]}
        for name, values in self._columns().items():
            cells: list[object] = [values[i] for i in shown]
            ends: list[object] = ["", ""]
            if name in self.scores:
                ends = [self.mean[name], self.std[name]]
            elif name == "best_epoch":
                ends = [self.best_epoch, ""]
            table[name] = [*cells, *("" for _ in cut), *ends]
        return table
