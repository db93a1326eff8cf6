"""Losses for numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, SupportsFloat

import numpy as np

from fastnn._config import is_real, number
from fastnn.losses.base import Loss

__all__ = [
    "MAE",
    "MSE",
    "GaussianNLL",
    "Huber",
    "LogCosh",
    "PoissonNLL",
    "Quantile",
    "SquaredError",
]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MSE(Loss):
    """Mean squared error: ``l = mean_j (o_j - y_j)**2``.

    The mean is over outputs as well as rows, as in ``torch.nn.MSELoss``.
    scikit-learn's MLPRegressor has half of it: `losses.SquaredError`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> net.evaluate([[1.0], [2.0]], [[0.0], [4.0]], loss="mse")
    {'loss': 2.5}
    """

    kind: ClassVar[str] = "mse"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SquaredError(Loss):
    """Half the squared error: ``l = sum_j (o_j - y_j)**2 / 2``.

    The sum is over outputs, the mean over rows: its gradient is ``o - y`` for each
    output, the one that scikit-learn's MLPRegressor follows (which reports the mean
    over outputs, though). `MSE` is twice the mean over outputs.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(2)
    >>> net.evaluate([[1.0, 2.0]], [[0.0, 4.0]], loss="squared_error")
    {'loss': 2.5}
    """

    kind: ClassVar[str] = "squared_error"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MAE(Loss):
    """Mean absolute error: ``l = mean_j |o_j - y_j|``, with slope 0 where they agree.

    The mean is over outputs as well as rows, as in ``torch.nn.L1Loss``.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> net.evaluate([[1.0], [2.0]], [[0.0], [4.0]], loss="mae")
    {'loss': 1.5}
    """

    kind: ClassVar[str] = "mae"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Huber(Loss):
    """Squared for small errors, linear for large ones (e = o - y).

    ``l = e**2 / 2 if |e| <= delta else delta * (|e| - delta / 2)``, mean over outputs
    as well as rows, as in ``torch.nn.HuberLoss``. Huber, "Robust estimation of a
    location parameter" (1964).

    Parameters
    ----------
    delta : float, default 1.0
        Where the two pieces meet, > 0, in units of y.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> net.evaluate([[1.0], [2.0]], [[0.0], [4.0]], loss=fnn.Huber(delta=1.0))
    {'loss': 1.0}
    """

    kind: ClassVar[str] = "huber"
    delta: float = 1.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LogCosh(Loss):
    """Squared for small errors, linear for large ones, and smooth in between.

    ``l = mean_j log(cosh(o_j - y_j))``: near ``e**2 / 2`` for small errors e, near
    ``|e| - log(2)`` for large ones. The mean is over outputs as well as rows, as in
    Keras' LogCosh; torch has none.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> round(net.evaluate([[1.0]], [0.0], loss=fnn.LogCosh())["loss"], 4)
    0.4338
    """

    kind: ClassVar[str] = "log_cosh"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Quantile(Loss):
    """Pinball loss: its best outputs are the q-quantiles of y, given X.

    ``l = mean_j max(q * e_j, (q - 1) * e_j)`` with e = y - o, so that a share q of y
    comes to lie below the outputs; q = 0.5 asks for medians and is half of `MAE`. The
    mean is over outputs as well as rows. scikit-learn's ``mean_pinball_loss``; Koenker
    and Bassett, "Regression quantiles" (1978).

    A network may learn several quantiles at once, and for k values a row then has k
    outputs for each: the first q of all values, then the second, ... The loss is the
    mean over all. Nothing keeps quantiles that lie close together from crossing. The
    metrics "mae" and "r2" compare the q nearest 0.5, the first of equally near ones.

    Parameters
    ----------
    q : float or sequence of float, default 0.5
        In (0, 1).

    Raises
    ------
    TypeError, ValueError
        If q holds anything else, or nothing.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> net.evaluate([[0.0], [4.0]], [1.0, 2.0], loss=fnn.Quantile(0.75))
    {'loss': 0.625}

    An interval that holds half of y, and the median:

    >>> loss = fnn.Quantile((0.25, 0.5, 0.75))
    >>> net = fnn.Sequential(fnn.Identity()).build(3)
    >>> net.evaluate([[0.0, 2.0, 4.0]], [1.0], loss=loss, metrics=["mae"])
    {'loss': 0.5, 'mae': 1.0}
    """

    kind: ClassVar[str] = "quantile"
    q: Sequence[float] | SupportsFloat = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "q", _quantiles(self.q))
        super().__post_init__()

    def to_native(self) -> dict[str, Any]:
        """Return the dict C++ reads: q as a list."""
        return {**super().to_native(), "q": list(self._each())}

    def target_width(self, n_outputs: int) -> int:
        """Return how many values a row of y has: one for each run of quantiles."""
        return n_outputs // len(self._each())

    def check_outputs(self, n_outputs: int) -> None:
        """Raise ValueError unless there are as many outputs for each quantile."""
        count = len(self._each())
        if n_outputs % count:
            raise ValueError(
                f"loss: quantile needs {count} outputs for each value of y, one for "
                f"each q, but the network has {n_outputs}: give the last Dense layer "
                f"{count} times as many units as y has columns"
            )

    def _each(self) -> tuple[float, ...]:
        return self.q if isinstance(self.q, tuple) else (float(self.q),)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PoissonNLL(Loss):
    """For counts and rates y >= 0; the outputs are logarithms of the expected rate.

    ``l = mean_j (exp(o_j) - y_j o_j)``, the negative log-likelihood of a Poisson
    distribution but for a term that y alone decides, as in ``torch.nn.PoissonNLLLoss``
    with its defaults. A loss below 0 is nothing unusual. ``net.predict`` gives the raw
    outputs: ``np.exp`` of them are the rates, and it is these that the metrics "mae"
    and "r2" compare with y.

    Parameters
    ----------
    sum_outputs : bool, default False
        True: the sum over outputs instead of their mean, as scikit-learn has it.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(1)
    >>> net.evaluate([[0.0]], [3], loss="poisson", metrics=["mae"])
    {'loss': 1.0, 'mae': 2.0}
    """

    kind: ClassVar[str] = "poisson"
    least_target: ClassVar[float] = 0.0
    sum_outputs: bool = False


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GaussianNLL(Loss):
    """For y of a spread that depends on X: outputs are means and log variances.

    A network for k values a row has 2 k outputs: k means m, then k logarithms of
    variances, so that any number is a variance. With
    ``v = max(log_variance, log(eps))``,

    ``l = mean_j (v_j + (m_j - y_j)**2 * exp(-v_j)) / 2``,

    the negative log-likelihood of normal distributions but for a constant, as
    ``torch.nn.GaussianNLLLoss`` has it of m and ``exp(log_variance)``; where the
    variance is below `eps`, its gradient is 0 here. A loss below 0 is nothing unusual.
    The metrics "mae" and "r2" compare the means. Nix and Weigend, "Estimating the mean
    and variance of the target probability distribution" (1994).

    Parameters
    ----------
    eps : float, default 1e-6
        The least variance, > 0, in squared units of y.

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Identity()).build(2)
    >>> net.evaluate([[1.0, 0.0]], [4.0], loss=fnn.GaussianNLL(), metrics=["mae"])
    {'loss': 4.5, 'mae': 3.0}
    """

    kind: ClassVar[str] = "gaussian"
    eps: float = 1e-6

    def target_width(self, n_outputs: int) -> int:
        """Return how many values a row of y has: half the outputs."""
        return n_outputs // 2

    def check_outputs(self, n_outputs: int) -> None:
        """Raise ValueError unless there is a variance for each mean."""
        if n_outputs % 2:
            raise ValueError(
                "loss: gaussian needs two outputs for each value of y, a mean and the "
                f"logarithm of a variance, but the network has {n_outputs}: give the "
                "last Dense layer twice as many units as y has columns"
            )


def _quantiles(value: Any) -> float | tuple[float, ...]:
    """Return q as a float, or a tuple of them."""
    if isinstance(value, np.ndarray):
        value = value.tolist()  # a number, if it has no dimension
    if isinstance(value, (tuple, list)) and len(value) > 0:
        return tuple(number("Quantile: q", q) for q in value)
    if not is_real(value):
        raise TypeError(
            "Quantile: q must be a number or a sequence of numbers, such as "
            f"(0.1, 0.5, 0.9), got {type(value).__name__} {value!r}"
        )
    return number("Quantile: q", value)
