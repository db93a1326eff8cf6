"""`Committee`: predictions of several networks, averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from fastnn._recipe import check_network, check_thawed
from fastnn._validation import TableLike, as_features, check_bool
from fastnn.ensemble.one_fit import OneFit
from fastnn.errors import NotBuiltError
from fastnn.layers import Identity
from fastnn.losses import Loss, LossFunction, resolve_loss
from fastnn.sequential import Sequential

__all__ = ["Committee"]

Array = npt.NDArray[Any]


class Committee:
    """What ensembles have in common; see `Ensemble` and `SnapshotEnsemble`."""

    # The members and the loss last fitted with: other threads may predict while a fit
    # replaces them, and see both of before or both of after.
    _fitted: tuple[tuple[Sequential, ...], Loss | None]

    def __init__(self, net: Sequential, what: str) -> None:
        self._net = check_thawed(check_network(net), what)
        self._fitted = ((), None)
        self._one_fit = OneFit()

    @property
    def members(self) -> tuple[Sequential, ...]:
        """The networks that predict, each of use by itself."""
        return self._fitted[0]

    @overload
    def predict(
        self,
        X: TableLike,
        *,
        return_std: Literal[False] = False,
        n_threads: int | None = None,
    ) -> Array: ...
    @overload
    def predict(
        self, X: TableLike, *, return_std: Literal[True], n_threads: int | None = None
    ) -> tuple[Array, Array]: ...
    def predict(
        self, X: TableLike, *, return_std: bool = False, n_threads: int | None = None
    ) -> Array | tuple[Array, Array]:
        """Return the mean of the members' raw outputs, and how far they are apart.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, in_features)
            Finite numbers, as for `fit`.
        return_std : bool, default False
            Whether to return the spread too.
        n_threads : int, optional
            As for `Sequential.predict`.

        Returns
        -------
        mean : ndarray of shape (n, out_features)
            In the networks' dtype.
        std : ndarray of shape (n, out_features)
            With `return_std`: the standard deviation over the members, their number
            being the divisor.

        Raises
        ------
        NotBuiltError
            If the ensemble was not fitted yet.
        TypeError, ValueError
            If X is unusable.
        """
        members, _ = self._trained_members("predict")
        outputs = _each(members, X, Sequential.predict, n_threads)
        mean, std = _mean(outputs)
        return (mean, std) if check_bool("return_std", return_std) else mean

    @overload
    def predict_proba(
        self,
        X: TableLike,
        *,
        return_std: Literal[False] = False,
        n_threads: int | None = None,
    ) -> Array: ...
    @overload
    def predict_proba(
        self, X: TableLike, *, return_std: Literal[True], n_threads: int | None = None
    ) -> tuple[Array, Array]: ...
    def predict_proba(
        self, X: TableLike, *, return_std: bool = False, n_threads: int | None = None
    ) -> Array | tuple[Array, Array]:
        """Return the mean of the members' probabilities, and how far they are apart.

        Parameters
        ----------
        X, return_std, n_threads
            As for `predict`.

        Returns
        -------
        mean : ndarray of shape (n, out_features)
            With "cross_entropy" each row sums to 1.
        std : ndarray of shape (n, out_features)
            With `return_std`: the standard deviation over the members.

        Raises
        ------
        NotBuiltError
            If the ensemble was not fitted yet.
        ValueError
            If it was fitted with a loss for numbers, or X is unusable.
        """
        members, _ = self._trained_members("predict_proba")
        shares = _each(members, X, Sequential.predict_proba, n_threads)
        mean, std = _mean(shares)
        return (mean, std) if check_bool("return_std", return_std) else mean

    def evaluate(
        self,
        X: TableLike,
        y: npt.ArrayLike,
        *,
        loss: str | Loss | LossFunction | None = None,
        metrics: Sequence[str] = (),
        sample_weight: npt.ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> dict[str, float]:
        """Return the loss and metrics of the averaged predictions.

        Losses of logits are those of the mean probabilities, all others those of the
        mean outputs. By Jensen's inequality the cross-entropy and the squared error are
        at most the members' mean.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As for `fit`.
        loss : str, Loss or callable, optional
            None: the loss last fitted with.
        metrics : sequence of str, default ()
            "accuracy" and "auc" for classes, "mae" and "r2" for numbers.
        n_threads : int, optional
            As for `predict`.

        Returns
        -------
        dict of str to float
            "loss" (without penalties) and each metric.

        Raises
        ------
        NotBuiltError
            If the ensemble was not fitted yet.
        TypeError, ValueError
            If an argument is unusable.
        """
        members, fitted = self._trained_members("evaluate")
        used = fitted if loss is None else resolve_loss(loss)
        each = _each(members, X, Sequential.predict, n_threads).astype(np.float64)
        if _of_logits(used) and fitted.targets == used.targets:
            outputs = _logits(each, used)
        else:
            outputs = _mean(each)[0]
        judge = Sequential(Identity(), dtype="float64").build(outputs.shape[1])
        return judge.evaluate(
            outputs,
            y,
            loss=used,
            metrics=metrics,
            sample_weight=sample_weight,
            n_threads=n_threads,
        )

    def _trained_members(self, what: str) -> tuple[tuple[Sequential, ...], Loss]:
        """Return the members and their loss, or complain."""
        members, loss = self._fitted
        if loss is None:
            raise NotBuiltError(f"{what}: this ensemble was not fitted yet: call fit")
        return members, loss


def _each(
    members: Sequence[Sequential],
    X: TableLike,
    call: Callable[..., Array],
    n_threads: int | None,
) -> Array:
    """Return what each member says, (members, n, out)."""
    rows = as_features("X", X, members[0].dtype, members[0].in_features)
    return np.stack([call(net, rows, n_threads=n_threads) for net in members])


def _mean(each: Array) -> tuple[Array, Array]:
    """Return mean and deviation over the first axis, in the dtype that comes."""
    wide = each.astype(np.float64, copy=False)
    mean, std = wide.mean(axis=0), wide.std(axis=0)
    return mean.astype(each.dtype), std.astype(each.dtype)


def _of_logits(loss: Loss) -> bool:
    return loss.targets in ("classes", "labels") and loss.are_logits


def _logits(each: Array, loss: Loss) -> Array:
    """Return logits that softmax (or sigmoid) makes the members' mean probabilities.

    Logarithms all the way: probabilities are 0 or 1 long before logits are infinite.
    """
    if loss.targets == "classes":
        log_shares = each - np.logaddexp.reduce(each, axis=2, keepdims=True)
        return np.asarray(np.logaddexp.reduce(log_shares, axis=0) - np.log(len(each)))
    yes, no = -np.logaddexp(0.0, -each), -np.logaddexp(0.0, each)
    return np.asarray(np.logaddexp.reduce(yes) - np.logaddexp.reduce(no))
