"""The fitted half of an estimator: its network's numbers, outputs, files, pickles."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from fastnn import __version__
from fastnn.layers import Dense
from fastnn.layers.chain import named_layers
from fastnn.sequential import Sequential
from fastnn.sklearn._lossy import refuse_lossy
from fastnn.sklearn._threads import threads_here
from fastnn.sklearn._usage import Usage
from fastnn.sklearn._weight_list import WeightList

__all__ = ["FastnnVersionWarning", "FittedMLP"]

Array = npt.NDArray[Any]


class FastnnVersionWarning(InconsistentVersionWarning):  # type: ignore[misc]
    """An estimator was pickled by another version of fastnn."""

    def __str__(self) -> str:
        return (
            f"this {self.estimator_name} was pickled by fastnn "
            f"{self.original_sklearn_version} and is read by fastnn "
            f"{self.current_sklearn_version}: its results may differ or reading may "
            "fail; fit it anew, or read it with the version that wrote it"
        )


class FittedMLP(BaseEstimator):  # type: ignore[misc]
    """What there is to an estimator once it has a network, `net_`."""

    net_: Sequential
    n_threads: int | None
    _usage: Usage

    def _dense(self) -> list[tuple[Array, Array]]:
        """Return weights (out, in) and bias (out,) of the Dense layers.

        They are views of the network's numbers, but for weights that are normalised.
        """
        check_is_fitted(self, "net_")
        views = {name: view for name, view, _ in self.net_._native.tensors()}  # noqa: SLF001
        return [
            (
                layer.weight(views, i),
                views.get(f"{i}.bias", np.zeros(layer.units, self.net_.dtype)),
            )
            for i, layer in named_layers(self.net_.layers)
            if isinstance(layer, Dense)
        ]

    @property
    def coefs_(self) -> list[Array]:
        """Weights of each Dense layer, of shape (in, out): views of the network's own.

        Those of a layer with ``weight_norm=True`` are a read-only copy.
        """
        self._fitted_attribute("coefs_")
        return WeightList(w.T for w, _ in self._dense())

    @coefs_.setter
    def coefs_(self, value: Any) -> None:
        self.coefs_[:] = value

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of each layer, of shape (out,): views of the network's own."""
        self._fitted_attribute("intercepts_")
        return WeightList(b for _, b in self._dense())

    @intercepts_.setter
    def intercepts_(self, value: Any) -> None:
        self.intercepts_[:] = value

    def _fitted_attribute(self, name: str) -> None:
        if "net_" not in self.__dict__:
            raise AttributeError(
                f"this {type(self).__name__} has no {name} before it is fitted"
            )

    def _outputs(self, X: Any, *, softmax: bool = False) -> Array:
        """Return the outputs of the network, raw or as probabilities."""
        refuse_lossy("X", X)
        rows = validate_data(
            self,
            X,
            accept_sparse="csr",
            dtype=np.dtype(self.net_.dtype),
            reset=False,
        )
        run = self.net_.predict_proba if softmax else self.net_.predict
        outputs: Array = run(rows, n_threads=threads_here(self.n_threads))
        return outputs

    def _reading(self, what: str) -> AbstractContextManager[None]:
        """Keep fits out while a prediction runs."""
        check_is_fitted(self, "net_")
        usage: Usage = self._usage
        return usage.reading(f"{type(self).__name__}.{what}")

    # -- pickles ----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_fastnn_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        version = state.pop("_fastnn_version", "unknown")
        if version != __version__:
            warnings.warn(
                FastnnVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)
