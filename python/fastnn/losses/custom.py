"""Losses that a user writes in Python, and a check of their gradients."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from fastnn._config import number
from fastnn.losses.base import Loss

__all__ = ["CustomLoss", "LossFunction", "check_gradient"]

Array = npt.NDArray[Any]


class LossFunction(Protocol):
    """What ``loss=`` takes besides names and objects; see `CustomLoss`."""

    def __call__(
        self, outputs: Array, y: Array, /
    ) -> tuple[npt.ArrayLike, npt.ArrayLike]:
        """Return the loss of each row (n,) and its gradient (n, outputs)."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CustomLoss(Loss):
    """A loss of your own: ``function(outputs, y) -> (losses, gradient)``.

    ``loss=function`` stands for ``loss=CustomLoss(function)``. The function runs once a
    batch on the calling thread, and holds the GIL meanwhile; forward, backward and
    update stay what they are with other losses, and so do the bits of a result for any
    number of threads.

    Parameters
    ----------
    function : callable
        Gets the network's raw outputs, (n, out) in its dtype, and the n rows of y that
        belong to them; both are copies. Returns the loss of each row, (n,), and its
        derivative with respect to the outputs, (n, out). Sample weights are no matter
        of it: the engine makes ``sum(w * l) / sum(w)`` of its losses, and weighs the
        gradients likewise. To ``evaluate`` and validate it gets all rows at once.
    targets : {"any", "values", "classes", "labels"}, default "any"
        What y holds. "any": whatever NumPy makes an array of other than objects, with
        a first axis of rows: the function gets it as it came, unchecked, NaN included.
        "values", "classes" and "labels": what "mse", "cross_entropy" and
        "binary_cross_entropy" take. The function gets y as these losses do: (n, out) in
        the network's dtype, or int32 labels (n,). Metrics, `class_weight` and
        ``predict_proba`` work as with these losses.

    Raises
    ------
    TypeError, ValueError
        In ``fit`` and others, if the function returns what does not fit, NaN, or an
        infinite gradient. Its own exceptions come out as they are. The network is then
        as the last finished step left it.

    Notes
    -----
    The network being trained is in use while the function runs: a call of its
    ``predict`` is an error. Pickle stores the function by reference, so a network
    whose last loss was a lambda cannot be pickled; neither can the function be stored
    in files of networks. `check_gradient` tells whether losses and gradient agree.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn as fnn
    >>> def pinball(outputs, y, q=0.9):
    ...     error = y[:, None] - outputs
    ...     losses = np.maximum(q * error, (q - 1) * error).mean(axis=1)
    ...     return losses, np.where(error > 0, -q, 1 - q) / outputs.shape[1]
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> y = X[:, 0] + np.abs(X[:, 1])
    >>> net = fnn.Sequential(fnn.Dense(16, "tanh"), fnn.Dense(1))
    >>> _ = net.fit(X, y, loss=pinball, optimizer=fnn.Adam(lr=0.01), epochs=20)
    >>> bool(0.85 < (y < net.predict(X)[:, 0]).mean() < 0.95)
    True

    With torch at hand, autograd finds the gradient::

        def loss(outputs, y):
            z = torch.tensor(outputs, requires_grad=True)
            rows = torch.nn.functional.smooth_l1_loss(
                z, torch.tensor(y), reduction="none"
            ).mean(dim=1)
            rows.sum().backward()
            return rows.detach().numpy(), z.grad.numpy()
    """

    kind: ClassVar[str] = "custom"
    function: LossFunction
    targets: Literal["any", "values", "classes", "labels"] = dataclasses.field(  # type: ignore[misc]
        default="any", kw_only=True
    )

    def __post_init__(self) -> None:
        if not callable(self.function) or isinstance(self.function, type):
            raise TypeError(
                "CustomLoss: function must be callable as (outputs, y) -> (losses, "
                f"gradient), got {type(self.function).__name__} {self.function!r}"
            )
        super().__post_init__()

    def __repr__(self) -> str:
        return f"CustomLoss({self.function!r}, targets={self.targets!r})"

    def to_native(self) -> dict[str, Any]:
        """Return what C++ reads, and the function it asks."""
        return {"kind": self.kind, "targets": self.targets, "judge": self.judge}

    def judge(self, outputs: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (float64) and gradient (the outputs' dtype), checked."""
        shape, dtype = outputs.shape, outputs.dtype
        largest = np.abs(outputs).max()  # now: the function may work in place
        answer = self.function(outputs, y)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            raise TypeError(
                f"{self._name}: it must return a tuple (losses, gradient), got "
                f"{_what(answer)}"
            )
        losses = self._numbers("losses", answer[0], shape[:1], "one for each row")
        gradient = self._numbers(
            "a gradient", answer[1], shape, "one number for each output"
        )
        with np.errstate(over="ignore"):
            gradient = gradient.astype(dtype, order="C")
        self._check("losses", losses, np.isnan(losses), largest)
        if np.isfinite(losses).all():  # else it has diverged, and the engine says so
            self._check("a gradient", gradient, ~np.isfinite(gradient), largest)
        return losses.astype(np.float64, order="C"), gradient

    @property
    def _name(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"loss {name!r}"

    def _numbers(
        self, what: str, value: Any, shape: tuple[int, ...], meaning: str
    ) -> Array:
        try:
            array = np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(
                f"{self._name}: it must return {what} of shape {shape}, got "
                f"{_what(value)}, which is no array ({error})"
            ) from None
        if array.dtype.kind not in "biuf":
            raise TypeError(
                f"{self._name}: it must return {what} of real numbers, got "
                f"{_what(value)} of dtype {array.dtype}"
            )
        if array.shape != shape:
            raise ValueError(
                f"{self._name}: it must return {what} of shape {shape}, {meaning}, got "
                f"shape {array.shape}"
            )
        return array

    def _check(self, what: str, values: Array, bad: Array, largest: float) -> None:
        if not bad.any():
            return
        row = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
        raise ValueError(
            f"{self._name}: it returned {what} with {values[bad][0]} in row {row} of "
            f"the batch, for outputs of up to {largest:.3g} in size: make it finite, "
            "or lower the learning rate if outputs should not be so large"
        )


def _what(value: object) -> str:
    """Say what this is, with its shape or length."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def check_gradient(
    loss: LossFunction | CustomLoss,
    outputs: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    tolerance: float = 1e-5,
) -> float:
    """Compare the gradient a loss of your own returns with differences of its losses.

    Call it on some rows, away from corners such as that of ``|o - y|`` at 0, where no
    difference is right. It calls the loss twice for each element of `outputs`.

    Parameters
    ----------
    loss : callable or CustomLoss
        As ``fit`` takes it.
    outputs : array-like of shape (n, out)
        Where to look; taken in float64.
    y : array-like
        n rows, as the loss takes them.
    tolerance : float, default 1e-5
        How much a derivative may be off, in parts of the largest one (or of 1, if that
        is less), > 0.

    Returns
    -------
    float
        The largest deviation, in the same unit.

    Raises
    ------
    ValueError
        If a derivative is off by more; the error names the worst, with both numbers.
        Also for losses and gradients that ``fit`` would refuse.
    TypeError
        If an argument is unusable.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.losses import check_gradient
    >>> def cubic(outputs, y):
    ...     d = outputs[:, 0] - y
    ...     return np.abs(d) ** 3, (3 * d**2)[:, None]  # the sign is missing
    >>> check_gradient(cubic, [[1.0], [2.0]], np.array([0.0, 0.0])) < 1e-8
    True
    >>> check_gradient(cubic, [[1.0], [-2.0]], np.array([0.0, 0.0]))
    Traceback (most recent call last):
        ...
    ValueError: loss 'cubic': gradient[1, 0] is 12, but the losses change by -12 ...
    """
    custom = loss if isinstance(loss, CustomLoss) else CustomLoss(loss)
    limit = number("tolerance", tolerance)
    if not limit > 0:
        raise ValueError(f"tolerance must be > 0, got {tolerance}")
    point = np.array(outputs, dtype=np.float64)
    rows = np.asarray(y)
    if point.ndim != 2 or point.size == 0:
        raise ValueError(
            f"outputs must have shape (n, out), neither of them 0, got {point.shape}"
        )
    if rows.ndim == 0 or len(rows) != len(point):
        raise ValueError(
            f"y must have {len(point)} rows, as outputs has, got shape {rows.shape}"
        )
    _, given = custom.judge(point.copy(), rows.copy())
    slope = np.empty_like(point)
    for at in np.ndindex(point.shape):
        slope[at] = _central_difference(custom, point, rows, at)
    deviation = np.abs(given - slope) / max(np.abs(slope).max(), 1.0)
    worst = np.unravel_index(np.argmax(deviation), deviation.shape)
    if not deviation[worst] <= limit:
        i, j = map(int, worst)
        raise ValueError(
            f"{custom._name}: gradient[{i}, {j}] is {given[i, j]:.8g}, but the losses "  # noqa: SLF001
            f"change by {slope[i, j]:.8g} per unit of outputs[{i}, {j}]: correct the "
            "gradient (or look away from corners of the loss)"
        )
    return float(deviation[worst])


def _central_difference(
    loss: CustomLoss, point: Array, y: Array, at: tuple[int, ...]
) -> float:
    """Return the derivative of the sum of the losses with respect to one output."""
    step = np.cbrt(np.finfo(np.float64).eps) * max(abs(point[at]), 1.0)
    sides = []
    for sign in (1.0, -1.0):
        moved = point.copy()
        moved[at] += sign * step
        sides.append((moved[at], loss.judge(moved.copy(), y.copy())[0]))
    (above, high), (below, low) = sides
    return float(np.sum(high - low) / (above - below))
