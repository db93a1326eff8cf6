"""Noise on gradients."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from fastnn._config import Config, is_real
from fastnn._native import core

__all__ = ["GradientNoise", "checked_gradient_noise"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GradientNoise(Config):
    """Normal noise on each element of the gradient, which dies out as training goes on.

    ``g += N(0, eta / (1 + t)**gamma)`` at step t = 0, 1, 2, ... of the trainer; the
    second argument of N is the variance. Early noise leads out of bad valleys and lets
    deep plain networks start to learn; late in the training there is hardly any.

    The noise joins the gradient of loss and penalties before `clip_value` and
    `clip_norm` look at it, so that clipping bounds it as well. It reaches every
    parameter that is trained, biases and those of normalisation included. Its numbers
    are a function of the network's seed, the step and the parameter's place in
    ``net.parameters`` alone: neither threads nor a resumed run change a bit.

    Parameters
    ----------
    eta : float, default 0.01
        The variance at the first step, > 0. The paper chooses among 0.01, 0.3 and 1.0.
    gamma : float, default 0.55
        How fast it dies out, >= 0; 0: it stays.

    Raises
    ------
    TypeError, ValueError
        A setting of the wrong type or out of range.

    References
    ----------
    Neelakantan et al. (2015), Adding gradient noise improves learning for very deep
    networks, arXiv:1511.06807.

    Examples
    --------
    >>> import fastnn as fnn
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> net = fnn.Sequential(fnn.Dense(1))
    >>> noise = fnn.GradientNoise(eta=0.3)
    >>> _ = net.fit(X, y, loss="mse", gradient_noise=noise, epochs=2)
    """

    kind: ClassVar[str] = "gradient_noise"
    eta: float = 0.01
    gamma: float = 0.55

    def _check_ranges(self) -> None:
        core.check_gradient_noise(self.to_native())


def checked_gradient_noise(value: object) -> GradientNoise | None:
    """Return what a user gave as `gradient_noise`: a number is its eta."""
    if value is None or isinstance(value, GradientNoise):
        return value
    if is_real(value):
        try:
            return GradientNoise(value)  # type: ignore[arg-type]
        except ValueError as error:
            raise ValueError(f"gradient_noise: {error}") from None
    raise TypeError(
        "gradient_noise must be a number, fastnn.GradientNoise(...) or None, got "
        f"{type(value).__name__} {value!r}"
    )
