"""The density of a spectrum, from weighted eigenvalues."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from fastnn._validation import Array

__all__ = ["Density"]

_POINTS = 1000
_BLUR = 0.01  # of the spectrum's width
_REACH = 6.0  # blurs beyond its ends


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Density:
    """How many of a matrix' eigenvalues lie where, in shares of 1.

    Attributes
    ----------
    nodes, weights : ndarray of shape (m,)
        The measure itself: eigenvalues, or quadrature nodes that stand for them, and
        their shares, which sum to 1.
    grid, values : ndarray of shape (1000,)
        The measure blurred by a normal distribution of standard deviation `blur`, to
        look at: it integrates to 1 over the grid.
    blur : float
        A hundredth of the distance between the outermost nodes.
    counted : bool
        Whether the nodes are the eigenvalues themselves. If not, shares below a value
        are known to within the weight of the nodes beside it, and read between these
        (the inequalities of Chebyshev, Markov and Stieltjes; Golub and Meurant,
        "Matrices, Moments and Quadrature", 2010). Many eigenvalues in one place, such
        as near 0, count half below it and half above.
    """

    nodes: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    grid: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    blur: float
    counted: bool

    @classmethod
    def of(cls, nodes: Array, weights: Array, *, counted: bool) -> Density:
        """Return the density of weighted nodes."""
        low, high = float(nodes.min()), float(nodes.max())
        size = max(abs(low), abs(high))
        # Of a spectrum in one point, or wide by rounding alone, show that point.
        spread = high - low if high - low > 1e-9 * size else (size or 1.0)
        blur = _BLUR * spread
        grid = np.linspace(low - _REACH * blur, high + _REACH * blur, _POINTS)
        bells = np.exp(-0.5 * ((grid[:, None] - nodes) / blur) ** 2)
        values = bells @ weights / (blur * math.sqrt(2 * math.pi))
        return cls(nodes, weights, grid, values, blur, counted)

    def share_above(self, value: float) -> float:
        """Return the share of eigenvalues greater than `value`."""
        if self.counted:
            return float(self.weights[self.nodes > value].sum())
        return 1.0 - self.share_below(value)

    def share_below(self, value: float) -> float:
        """Return the share of eigenvalues less than `value`."""
        if self.counted:
            return float(self.weights[self.nodes < value].sum())
        order = np.argsort(self.nodes)
        below = np.cumsum(self.weights[order]) - self.weights[order] / 2
        return float(np.interp(value, self.nodes[order], below, left=0.0, right=1.0))

    def moment(self, power: int) -> float:
        """Return the mean of the eigenvalues to the given power."""
        return float(self.weights @ self.nodes**power)

    def __repr__(self) -> str:
        return (
            f"Density({len(self.nodes)} nodes from {self.nodes.min():.4g} to "
            f"{self.nodes.max():.4g}, mean {self.moment(1):.4g})"
        )
