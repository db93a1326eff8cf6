"""The errors that are fastnn's own; wrong arguments raise ValueError or TypeError."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastnn.history import History

__all__ = ["DivergedError", "ModelFileError", "NotBuiltError"]


class NotBuiltError(RuntimeError):
    """A network without known input width was asked for something that needs it.

    The first ``fit``, ``net.build(in_features)`` or ``Dense(..., in_features=...)``
    in the first layer tell it.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Dense(3))
    >>> net.n_parameters
    Traceback (most recent call last):
    ...
    fastnn.errors.NotBuiltError: n_parameters: this network does not know its input...
    """


class DivergedError(RuntimeError):
    """Training met a loss or weights that are not finite.

    The network holds the weights of the last finite epoch when this is raised by
    ``fit``, and the history tells what came before.

    Attributes
    ----------
    epoch : int
        The epoch in which it happened, counted from 0 within the call of ``fit``; for
        ``Trainer.step``, within the trainer's life.
    step : int
        The step (batch), counted likewise.
    lr : float
        The learning rate of that step.
    history : History or None
        The finite epochs before; None for a single ``Trainer.step``.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> X, y = np.full((8, 2), 100.0), np.full(8, 1e3)
    >>> net = fnn.Sequential(fnn.Dense(8), fnn.Dense(1))
    >>> try:
    ...     net.fit(X, y, loss="mse", optimizer=fnn.SGD(lr=1e6), epochs=50)
    ... except fnn.DivergedError as error:
    ...     print(error.lr)
    1000000.0
    """

    def __init__(
        self,
        *,
        epoch: int,
        step: int,
        lr: float,
        what: str,
        history: History | None = None,
    ) -> None:
        self.epoch = epoch
        self.step = step
        self.lr = lr
        self.what = what
        self.history = history
        if history is None:
            restored = "The weights are those before this step. "
        elif history.epoch:
            restored = "The weights of the last finite epoch are restored. "
        else:
            restored = "No epoch was finite: the weights are those before this fit. "
        advice = (
            f"Lower the learning rate (say lr={lr / 10:g}), clip the gradients "
            "(clip_norm=1.0) or scale the inputs to mean 0 and variance 1."
        )
        if "auc" in what:
            advice = "auc needs rows of every class: look at the labels it is made of."
        super().__init__(
            f"training diverged in epoch {epoch}, step {step}, at lr={lr:g}: {what}. "
            f"{restored}{advice} fnn.diagnose(net, X, y, ...) tries what helps."
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _diverged, (self.epoch, self.step, self.lr, self.what, self.history)


def _diverged(
    epoch: int, step: int, lr: float, what: str, history: History | None
) -> DivergedError:
    """Rebuild a pickled error: exceptions pickle positional arguments only."""
    return DivergedError(epoch=epoch, step=step, lr=lr, what=what, history=history)


_LONGEST = 300  # of a message's parts: a hostile file must not fill the screen


class ModelFileError(ValueError):
    """A file is broken, hostile, newer than this fastnn, or none of its files at all.

    Files that cannot be read at all (missing, no permission) are an OSError.

    Attributes
    ----------
    field : str
        The place in the file, such as ``"config.net.layers[2].p"``.
    problem : str
        What is wrong there.
    path : str or None
        The file, or None where a description was read that belongs to no file.

    Examples
    --------
    >>> import fastnn as fnn
    >>> raise fnn.ModelFileError("header", "ends too early", "net.fnn")
    Traceback (most recent call last):
    ...
    fastnn.errors.ModelFileError: net.fnn: header: ends too early
    """

    def __init__(self, field: str, problem: str, path: str | None = None) -> None:
        self.field = _cut(field)
        self.problem = _cut(problem)
        self.path = path
        super().__init__(self.field, self.problem, path)

    def __str__(self) -> str:
        place = self.field if self.path is None else f"{self.path}: {self.field}"
        return f"{place}: {self.problem}"


def _cut(text: str) -> str:
    """Return the text, without its middle if it is too long."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
