"""Lanczos' method: a small tridiagonal matrix that knows a large symmetric one's ends.

With full reorthogonalisation, so that no eigenvalue comes up twice (Golub and Van Loan,
"Matrix Computations", 4th ed., section 10.3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from fastnn._validation import Array

__all__ = ["Ritz", "lanczos", "random_signs"]

_CHECK_EVERY = 5  # steps


@dataclasses.dataclass(frozen=True)
class Ritz:
    """What m steps from a unit vector tell of a matrix.

    Attributes
    ----------
    values : ndarray of shape (m,)
        Approximate eigenvalues, ascending.
    residuals : ndarray of shape (m,)
        ``|A u - value u|`` of each: some eigenvalue is no further away.
    weights : ndarray of shape (m,)
        Squared parts of the starting vector: with the values as nodes, Gauss quadrature
        for its spectral measure; they sum to 1.
    basis : ndarray of shape (m, n)
        Orthonormal rows.
    rotation : ndarray of shape (m, m)
        Columns: the vectors in terms of the basis.
    """

    values: Array
    residuals: Array
    weights: Array
    basis: Array
    rotation: Array

    def vectors(self, index: Array) -> Array:
        """Return the approximate eigenvectors of some values, as columns."""
        return np.asarray(self.basis.T @ self.rotation[:, index])

    def ends(self, k: int) -> Array:
        """Return the indices of the k smallest and the k largest values."""
        m = len(self.values)
        return np.arange(m) if m <= 2 * k else np.r_[0:k, m - k : m]


def random_signs(n: int, seed: int, number: int) -> Array:
    """Return the unit vector of random signs that is the `number`-th of its seed."""
    signs = np.random.default_rng([seed, number]).integers(0, 2, size=n)
    return np.asarray((2.0 * signs - 1.0) / np.sqrt(n))


def lanczos(
    product: Callable[[Array], Array],
    start: Array,
    max_steps: int,
    *,
    enough: Callable[[Ritz], bool] = lambda _: False,
) -> Ritz:
    """Take steps until there is `enough`, all is known, or `max_steps` are taken."""
    n = len(start)
    steps = min(max_steps, n)
    basis = np.empty((steps, n))
    diagonal, beside = np.empty(steps), np.empty(steps)
    basis[0] = start
    for m in range(1, steps + 1):
        done = basis[:m]
        w = product(done[-1])
        diagonal[m - 1] = done[-1] @ w
        for _ in range(2):  # twice is enough (Parlett 1998, section 6.9)
            w = w - done.T @ (done @ w)
        beside[m - 1] = np.linalg.norm(w)
        # What is left is rounding: the space of the start is exhausted.
        scale = np.abs(diagonal[:m]).max() + beside[: m - 1].max(initial=0.0)
        over = beside[m - 1] <= n * np.finfo(float).eps * scale
        if over or m == steps or m % _CHECK_EVERY == 0:
            ritz = _ritz(diagonal[:m], beside[:m], done)
            if over or m == steps or enough(ritz):
                break
        basis[m] = w / beside[m - 1]
    return ritz


def _ritz(diagonal: Array, beside: Array, basis: Array) -> Ritz:
    inner = beside[:-1]
    values, rotation = np.linalg.eigh(
        np.diag(diagonal) + np.diag(inner, 1) + np.diag(inner, -1)
    )
    return Ritz(
        values, np.abs(beside[-1] * rotation[-1]), rotation[0] ** 2, basis, rotation
    )
