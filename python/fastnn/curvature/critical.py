"""Where training has come to: a minimum, a saddle point, a plateau, or nowhere yet."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._validation import Array, TableLike, check_int, check_number
from fastnn.curvature._objective import Objective
from fastnn.curvature.escape import Escape, search
from fastnn.curvature.spectrum import Method, Spectrum, check_method, spectrum_of
from fastnn.losses import Loss, LossFunction
from fastnn.sequential import Sequential

__all__ = ["CriticalPoint", "Kind", "critical_point"]

_LEAST_STEPS = 30  # for ratios by quadrature

Kind: TypeAlias = Literal["not_critical", "minimum", "saddle", "maximum", "plateau"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CriticalPoint:
    """A point in the space of parameters, and the loss around it.

    Attributes
    ----------
    kind : {"not_critical", "minimum", "saddle", "maximum", "plateau"}
        "not_critical": the gradient leads down. Else by the curvature: "minimum": none
        is negative (some directions may be flat); "maximum": none is positive;
        "saddle": there are both; "plateau": there is none worth the name.
    loss : float
        Mean loss plus penalties.
    gradient_norm : float
        Length of the gradient.
    lambda_min, lambda_max : float
        The smallest and the largest eigenvalue of the Hessian.
    minimum_ratio : float
        The share of eigenvalues that are positive: 1 at a strict minimum.
    negative_ratio : float
        The share of those that are negative. The rest is flat: no larger in size than
        `tolerance` times the largest. Estimates by quadrature cannot tell these apart,
        and divide most of them among both.
    direction : ndarray of shape (n_parameters,)
        The unit eigenvector of `lambda_min`: the way out of a saddle point.
    spectrum : Spectrum
        What the curvature was taken from. ``spectrum.method`` tells whether the ratios
        are counts ("full") or estimates by quadrature ("lanczos").
    """

    kind: Kind
    loss: float
    gradient_norm: float
    lambda_min: float
    lambda_max: float
    minimum_ratio: float
    negative_ratio: float
    direction: npt.NDArray[np.float64]
    spectrum: Spectrum
    _walk: _Walk

    def escape(self) -> Escape:
        """Move the network along its most negative curvature to a lower loss.

        A line search goes both ways along `direction`: further while the loss falls,
        less far if it does not, then to about the lowest place between. The network
        changes only if its loss falls, rounding to its dtype included.

        Returns
        -------
        Escape
            ``loss_before, loss_after, step``.

        Raises
        ------
        ValueError
            If there is no negative curvature.
        RuntimeError
            If the network has changed since this point was looked at, another thread
            uses it, or no step lowers the loss. The network is then as it was.

        Examples
        --------
        >>> import fastnn as fnn
        >>> net = fnn.Sequential(
        ...     fnn.Dense(1, use_bias=False, init="zeros"),
        ...     fnn.Dense(1, use_bias=False, init="zeros"),
        ... ).build(1)
        >>> step = fnn.critical_point(net, [[1.0]], [1.0], loss="mse").escape()
        >>> step.loss_before, step.loss_after < 1e-4, round(step.step, 2)
        (1.0, True, 1.41)
        """
        limit = -self._walk.tolerance * max(abs(self.lambda_max), abs(self.lambda_min))
        if self.kind == "plateau" or not self.lambda_min < limit:
            raise ValueError(
                f"escape: there is no way down by curvature from this {self.kind}: the "
                f"smallest eigenvalue is {self.lambda_min:.4g}, the largest "
                f"{self.lambda_max:.4g}; go on training"
                + (" with a larger learning rate" if self.kind == "plateau" else "")
            )
        return self._walk.along(self.direction, self.loss, self.lambda_min)

    def __repr__(self) -> str:
        about = "about " if self.spectrum.method == "lanczos" else ""
        doubt = "" if self.spectrum.converged else ", not converged"
        return (
            f"CriticalPoint({self.kind}: loss {self.loss:.4g}, gradient norm "
            f"{self.gradient_norm:.4g}, eigenvalues {self.lambda_min:.4g} to "
            f"{self.lambda_max:.4g}{doubt}, {about}{self.minimum_ratio:.1%} positive, "
            f"{self.negative_ratio:.1%} negative)"
        )


def critical_point(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    sample_weight: npt.ArrayLike | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    tolerance: float = 1e-4,
    method: Method = "auto",
    max_steps: int = 100,
    seed: int = 0,
    n_threads: int | None = None,
) -> CriticalPoint:
    """Tell what kind of point the network's parameters are at, by the Hessian.

    Parameters
    ----------
    net, X, y, loss, sample_weight, l1, l2, n_threads
        As for `hessian_spectrum`: frozen layers stand still, and all of `net` does
        until `escape`.
    tolerance : float, default 1e-4
        What counts as nothing, see below; in (0, 1).
    method, max_steps, seed
        As for `hessian_spectrum`: the whole Hessian up to 2,000 parameters, one run of
        Lanczos' method beyond, whose quadrature estimates the ratios. It ends when both
        ends are known to `tolerance`, after 30 products or more.

    Returns
    -------
    CriticalPoint
        Keeps X and y, for `escape`.

    Notes
    -----
    Lengths of gradients say little by themselves: they depend on the units of the loss
    and on how many parameters there are. So the yardstick is the loss. S is the larger
    of the loss here and the loss of outputs that are all 0, such as log K or the mean
    square of y (if both are 0, the loss of outputs that are all 1); the radius R is the
    length of the vector of parameters, or 1 if that is more.

    * Not critical: the quadratic model of the loss falls by more than `tolerance` S
      along the gradient, as far as it falls and no further than R (the Cauchy point;
      Nocedal and Wright, "Numerical Optimization", 2nd ed., section 4.1).
    * Plateau: neither does it change by more than that by curvature, `R**2 / 2` times
      the largest eigenvalue in size.
    * An eigenvalue is flat, neither positive nor negative, if it is no larger than
      `tolerance` times the largest in size: where that direction changes the loss by
      S, this one changes it by `tolerance` S.

    At a point that is only nearly critical the loss may still fall along flat
    directions, and "minimum" says nothing about curvatures of higher order.

    References
    ----------
    Dauphin et al., "Identifying and attacking the saddle point problem in
    high-dimensional non-convex optimization" (2014). Alain, Le Roux and Manzagol,
    "Negative eigenvalues of the Hessian in deep neural networks" (2018).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(
    ...     fnn.Dense(1, use_bias=False, init="zeros"),
    ...     fnn.Dense(1, use_bias=False, init="zeros"),
    ... ).build(1)
    >>> fnn.critical_point(net, [[1.0]], [1.0], loss="mse")
    CriticalPoint(saddle: loss 1, gradient norm 0, eigenvalues -2 to 2, 50.0% positive,
    50.0% negative)
    """
    tolerance = check_number("tolerance", tolerance, above=0.0, below=1.0)
    method = check_method(method)
    max_steps = check_int("max_steps", max_steps, 2)
    seed = check_int("seed", seed, 0, below=2**64)
    objective = Objective(
        "critical_point",
        net,
        X,
        y,
        loss=loss,
        sample_weight=sample_weight,
        l1=l1,
        l2=l2,
        n_threads=n_threads,
        trained_only=True,
    )
    before, gradient = objective.loss_and_gradient()
    if not math.isfinite(before) or not np.isfinite(gradient).all():
        raise ValueError(
            "the loss or its gradient is not finite here: scale X down, or take "
            "weights from before training diverged"
        )
    spectrum = spectrum_of(
        objective,
        k=1,
        method=method,
        density=True,
        max_steps=max_steps,
        least_steps=_LEAST_STEPS,
        tolerance=tolerance,
        n_probes=1,
        seed=seed,
    )
    walk = _Walk(net, objective, before, tolerance)
    size = max(abs(spectrum.lambda_min), abs(spectrum.lambda_max))
    density = spectrum.density
    assert density is not None  # noqa: S101  (it was asked for)
    return CriticalPoint(
        _kind(walk, gradient, spectrum),
        before,
        float(np.linalg.norm(gradient)),
        spectrum.lambda_min,
        spectrum.lambda_max,
        density.share_above(tolerance * size),
        density.share_below(-tolerance * size),
        spectrum.eigenvectors[:, 0],
        spectrum,
        walk,
    )


def _kind(walk: _Walk, gradient: Array, spectrum: Spectrum) -> Kind:
    nothing = walk.tolerance * walk.scale
    low, high = spectrum.lambda_min, spectrum.lambda_max
    size = max(abs(low), abs(high))
    if walk.cauchy_decrease(gradient) > nothing:
        return "not_critical"
    if walk.radius**2 / 2 * size <= nothing:
        return "plateau"
    if low >= -walk.tolerance * size:
        return "minimum"
    return "maximum" if high <= walk.tolerance * size else "saddle"


def _scale(objective: Objective, here: float) -> float:
    """Return how large the loss is where nothing is learnt, or here."""
    zeros = objective.loss_of_constant(0.0)
    scale = max(abs(v) for v in (here, zeros) if math.isfinite(v))
    return scale or abs(objective.loss_of_constant(1.0))


class _Walk:
    """The surroundings of a point, and steps away from it."""

    def __init__(
        self, net: Sequential, objective: Objective, here: float, tolerance: float
    ) -> None:
        self.net = net
        self.objective = objective
        self.tolerance = tolerance
        self.scale = _scale(objective, here)
        self.radius = max(float(np.linalg.norm(objective.point)), 1.0)

    def cauchy_decrease(self, gradient: Array) -> float:
        """Return how far a quadratic model falls along the gradient, within radius."""
        slope = float(np.linalg.norm(gradient))
        if slope == 0.0:
            return 0.0
        downhill = gradient / slope
        bend = float(downhill @ self.objective.product(downhill))
        step = self.radius if bend <= 0 else min(self.radius, slope / bend)
        return step * slope - step**2 / 2 * bend

    def along(self, direction: Array, before: float, bend: float) -> Escape:
        """Move the network along a direction of negative curvature."""
        net, objective = self.net, self.objective
        self._check_unchanged()
        # Where the quadratic model has fallen by a tenth of the loss' scale.
        first = min(self.radius, math.sqrt(0.2 * (self.scale or 1.0) / -bend))
        step = search(
            lambda t: objective.loss(self._rounded(t, direction)), before, first
        )
        if step == 0.0:
            raise RuntimeError(
                "escape: no step along the direction lowers the loss, though its "
                f"curvature is {bend:.4g}: what is left is rounding; train in float64"
            )
        target = self._rounded(step, direction)
        after = objective.loss(target)
        self._check_unchanged()
        _assign(net, target)
        return Escape(before, after, step)

    def _rounded(self, step: float, direction: Array) -> Array:
        """Return the point that far away, as the network would hold it."""
        moved = self.objective.point + step * direction
        return moved.astype(self.net.dtype).astype(np.float64)

    def _check_unchanged(self) -> None:
        if not np.array_equal(self.net.parameters, self.objective.point):
            raise RuntimeError(
                "escape: the network has changed since this point was looked at; call "
                "critical_point again"
            )


def _assign(net: Sequential, point: Array) -> None:
    """Overwrite the parameters, unless another thread is using the network."""
    native: Any = net._native  # noqa: SLF001
    given, begin = {}, 0
    for name, view, trainable in native.tensors():
        if trainable:
            part = point[begin : begin + view.size].reshape(view.shape)
            given[name] = part.astype(view.dtype)
            begin += view.size
    native.assign(given)
