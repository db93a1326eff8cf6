"""What ensembles and model selection share: data checked once, fitted many times."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn._config import nearest
from fastnn._network import Network
from fastnn._validation import Data, as_validation_data
from fastnn.augment._checks import as_augments, with_shape
from fastnn.callbacks import Checkpoint
from fastnn.history import History
from fastnn.losses import Loss, resolve_loss
from fastnn.sequential import Sequential

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Recipe", "check_network", "check_thawed", "told"]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Rows that the engine takes as they are, and the options of all fits on them."""

    loss: Loss
    data: Data
    validation: Data | None
    options: dict[str, Any]  # all others of `Sequential.fit`

    @classmethod
    def checked(
        cls, net: Sequential, X: object, y: object, options: dict[str, Any]
    ) -> Self:
        """Convert what would else be converted anew for each fit.

        Raises
        ------
        TypeError, ValueError
            If data are unusable, or an option is none of `Sequential.fit`'s. The other
            options are checked by the fits.
        """
        given = dict(options)
        callbacks = given.get("callbacks")
        if isinstance(callbacks, Iterator) and not callable(callbacks):
            given["callbacks"] = tuple(callbacks)  # many fits read them
        unknown = [name for name in given if name not in fit_options()]
        if unknown:
            raise TypeError(
                f"fit has no option {unknown[0]!r}"
                f"{nearest(unknown[0], fit_options()) or ''}"
            )
        loss = resolve_loss(given.pop("loss", "cross_entropy"))
        data = net._checked_data(X, y, given.pop("sample_weight", None), loss)  # noqa: SLF001
        if "augment" in given:  # fits get flat rows, which do not say what they show
            augments = as_augments(given["augment"])
            given["augment"] = with_shape(augments, data.picture)
        width = net.out_features
        validation = as_validation_data(
            given.pop("validation_data", None),
            data,
            loss,
            net.dtype,
            data.X.shape[1] if width is None else width,
        )
        return cls(loss, data, validation, given)

    def check_shared_callbacks(self, what: str) -> None:
        """Raise ValueError for callbacks that can serve one fit at a time only."""
        callbacks = self.options.get("callbacks", ())
        for callback in callbacks if isinstance(callbacks, Iterable) else (callbacks,):
            if isinstance(callback, (Checkpoint, AbstractContextManager)):
                raise ValueError(  # noqa: TRY004  (a callback, but not here)
                    f"callbacks: {what} train side by side, and "
                    f"{type(callback).__name__} serves one fit at a time: pass plain "
                    "functions, EarlyStopping, EMA or SWA"
                )

    def fit(
        self,
        net: Sequential,
        data: Data,
        *,
        validation: Data | None,
        **more: Any,
    ) -> History:
        """Train a network on some of the rows; `more` goes before the options.

        Raises RuntimeError if the end of the process ended the fit, where there may be
        no epoch to speak of.
        """
        history = net.fit(
            _as_given(data.X),
            data.y,
            loss=self.loss,
            sample_weight=data.weight,
            validation_data=None if validation is None else as_tuple(validation),
            **{**self.options, **more},
        )
        if history.stop_reason == "interrupted":  # Ctrl-C would have raised
            raise RuntimeError("Python is about to exit")
        return history


def _as_given(X: Any) -> Any:
    """Return checked rows as what a user may pass, which they may be in fact."""
    return X


def as_tuple(data: Data) -> tuple[Any, ...]:
    """Return rows as `validation_data` takes them."""
    weight = () if data.weight is None else (data.weight,)
    return (data.X, data.y, *weight)


@functools.cache
def fit_options() -> tuple[str, ...]:
    """Return the names of the options of `Sequential.fit`."""
    parameters = inspect.signature(Sequential.fit).parameters
    return tuple(name for name in parameters if name not in ("self", "X", "y"))


def check_network(net: object) -> Sequential:
    """Return a network, or raise TypeError."""
    if not isinstance(net, Sequential):
        got = type(net).__name__
        if isinstance(net, type) and issubclass(net, Network):
            got = f"the class {net.__name__}"
        raise TypeError(f"net must be a fastnn.Sequential, got {got}")
    return net


def check_thawed(net: Sequential, what: str, *, instead: str = "") -> Sequential:
    """Return a network, or raise ValueError if it is frozen where weights are drawn.

    `what` draws the weights; `instead` is advice that goes first.
    """
    if net.frozen:
        layers = "layer" if len(net.frozen) == 1 else "layers"
        raise ValueError(
            f"net: {layers} {', '.join(map(str, net.frozen))} frozen, but {what} draws "
            f"new weights, of which none is worth keeping: {instead}pass "
            "net.copy().unfreeze()"
        )
    return net


def told(history: History) -> dict[str, float]:
    """Return what progress shows of a fit: its best epoch, and all its seconds."""
    logs = {key: values[history.best_epoch] for key, values in history.history.items()}
    return {**logs, "seconds": float(np.sum(history.history["seconds"]))}
