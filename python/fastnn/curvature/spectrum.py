"""The ends of the Hessian's spectrum, and its density."""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._config import nearest
from fastnn._validation import TableLike, check_bool, check_int, check_number
from fastnn.curvature._lanczos import Ritz, lanczos, random_signs
from fastnn.curvature._objective import MOST_FOR_FULL, Objective
from fastnn.curvature.density import Density
from fastnn.losses import Loss, LossFunction
from fastnn.sequential import Sequential

__all__ = ["Method", "Spectrum", "check_method", "hessian_spectrum", "spectrum_of"]

Method: TypeAlias = Literal["auto", "full", "lanczos"]

_METHODS = ("auto", "full", "lanczos")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """Extreme eigenvalues of a Hessian.

    Attributes
    ----------
    eigenvalues : ndarray of shape (m,)
        The k smallest and the k largest, ascending; all, if there are no more. By
        Lanczos' method an eigenvalue that comes several times is found once.
    eigenvectors : ndarray of shape (n_parameters, m)
        Their unit vectors, as columns, in the order of ``net.parameters`` (0 where
        these are frozen); the element of largest size is positive.
    residuals : ndarray of shape (m,)
        ``|H u - lambda u|`` of each: an eigenvalue of H is no further from lambda.
    converged : bool
        Whether each residual is within the tolerance. If not, `lambda_min` is above the
        true one and `lambda_max` below, never the other way round: allow more steps.
    method : {"full", "lanczos"}
        Whether the whole Hessian was decomposed.
    n_steps : int
        Products with the Hessian that each random vector, or the Hessian, took.
    density : Density or None
        Where all eigenvalues lie; None if not asked for.
    """

    eigenvalues: npt.NDArray[np.float64]
    eigenvectors: npt.NDArray[np.float64]
    residuals: npt.NDArray[np.float64]
    converged: bool
    method: Literal["full", "lanczos"]
    n_steps: int
    density: Density | None = None

    @property
    def lambda_min(self) -> float:
        """The smallest eigenvalue."""
        return float(self.eigenvalues[0])

    @property
    def lambda_max(self) -> float:
        """The largest eigenvalue."""
        return float(self.eigenvalues[-1])

    def __repr__(self) -> str:
        doubt = "" if self.converged else ", not converged"
        return (
            f"Spectrum({len(self.eigenvalues)} eigenvalues from {self.lambda_min:.4g} "
            f"to {self.lambda_max:.4g}, {self.method}{doubt})"
        )


def hessian_spectrum(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    sample_weight: npt.ArrayLike | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    k: int = 10,
    density: bool = False,
    method: Method = "auto",
    max_steps: int = 100,
    tolerance: float = 1e-4,
    n_probes: int = 4,
    seed: int = 0,
    n_threads: int | None = None,
) -> Spectrum:
    """Return the extreme eigenvalues of the Hessian of the mean loss on (X, y).

    Parameters
    ----------
    net, X, y, loss, sample_weight, l1, l2, n_threads
        As for `hessian_vector_product`, but that frozen layers stand still: the Hessian
        is that of the parameters which training changes.
    k : int, default 10
        How many eigenvalues to return of each end, >= 1.
    density : bool, default False
        Whether to estimate where all eigenvalues lie, by stochastic Lanczos quadrature.
    method : {"auto", "full", "lanczos"}, default "auto"
        "full" makes the whole Hessian, a product for each parameter, and decomposes it.
        "lanczos" takes some products and finds the ends. "auto": "full" up to 2,000
        parameters.
    max_steps : int, default 100
        Products that Lanczos' method takes at most from one random vector. It keeps so
        many vectors of n_parameters numbers.
    tolerance : float, default 1e-4
        Lanczos' method stops when the residuals are less than this part of the largest
        eigenvalue in size; eigenvalues set apart are then far more precise, to about
        its square. With a density it takes all steps.
    n_probes : int, default 4
        Random vectors for the density, of `max_steps` products each.
    seed : int, default 0
        Of the random vectors: the same seed gives the same bits.

    Returns
    -------
    Spectrum

    References
    ----------
    Ghorbani, Krishnan and Xiao, "An investigation into neural net optimization via
    Hessian eigenvalue density" (2019). Yao, Gholami, Keutzer and Mahoney, "PyHessian:
    neural networks through the lens of the Hessian" (2020).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(
    ...     fnn.Dense(1, use_bias=False, init="zeros"),
    ...     fnn.Dense(1, use_bias=False, init="zeros"),
    ... ).build(1)
    >>> fnn.hessian_spectrum(net, [[1.0]], [1.0], loss="mse").eigenvalues.round(12)
    array([-2.,  2.])
    """
    settings = {
        "k": check_int("k", k, 1),
        "max_steps": check_int("max_steps", max_steps, 2),
        "n_probes": check_int("n_probes", n_probes, 1),
        "seed": check_int("seed", seed, 0, below=2**64),
    }
    method = check_method(method)
    density = check_bool("density", density)
    tolerance = check_number("tolerance", tolerance, above=0.0)
    objective = Objective(
        "hessian_spectrum",
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
    return spectrum_of(
        objective,
        method=method,
        density=density,
        tolerance=tolerance,
        least_steps=settings["max_steps"] if density else 0,
        **settings,
    )


def check_method(value: object) -> Method:
    """Return one of the known methods."""
    if value not in _METHODS:
        hint = nearest(value, _METHODS) if isinstance(value, str) else ""
        raise ValueError(
            f"method must be 'auto', 'full' or 'lanczos', got {value!r}{hint}"
        )
    return value  # type: ignore[return-value]


def spectrum_of(
    objective: Objective,
    *,
    k: int,
    method: Method,
    density: bool,
    max_steps: int,
    least_steps: int,
    tolerance: float,
    n_probes: int,
    seed: int,
) -> Spectrum:
    """Return the spectrum at the objective's point."""
    n = objective.n_parameters
    if method == "full" and n > MOST_FOR_FULL:
        raise ValueError(
            f"method: 'full' is for at most {MOST_FOR_FULL} parameters, the network "
            f"has {n}; use method='lanczos'"
        )
    if method == "full" or (method == "auto" and n <= MOST_FOR_FULL):
        return _full(objective, k, density=density)

    def is_enough(ritz: Ritz) -> bool:
        steps = len(ritz.values)
        return steps >= least_steps and steps > 2 * k and _converged(ritz, k, tolerance)

    runs = [
        lanczos(
            objective.product, random_signs(n, seed, i), max_steps, enough=is_enough
        )
        for i in range(n_probes if density else 1)
    ]
    ritz = runs[0]
    ends = ritz.ends(k)
    return Spectrum(
        ritz.values[ends],
        objective.widened(_oriented(ritz.vectors(ends))),
        ritz.residuals[ends],
        _converged(ritz, k, tolerance),
        "lanczos",
        len(ritz.values),
        quadrature(runs) if density else None,
    )


def quadrature(runs: list[Ritz]) -> Density:
    """Return the mean of the spectral measures of random vectors."""
    return Density.of(
        np.concatenate([run.values for run in runs]),
        np.concatenate([run.weights for run in runs]) / len(runs),
        counted=False,
    )


def _converged(ritz: Ritz, k: int, tolerance: float) -> bool:
    size = np.abs(ritz.values).max()
    return bool((ritz.residuals[ritz.ends(k)] <= tolerance * size).all())


def _full(objective: Objective, k: int, *, density: bool) -> Spectrum:
    hessian = objective.hessian()
    values, vectors = np.linalg.eigh(hessian)
    n = len(values)
    ends = np.arange(n) if n <= 2 * k else np.r_[0:k, n - k : n]
    chosen = _oriented(vectors[:, ends])
    weights = np.full(n, 1 / n)
    residuals = np.linalg.norm(hessian @ chosen - chosen * values[ends], axis=0)
    return Spectrum(
        values[ends],
        objective.widened(chosen),
        residuals,
        converged=True,
        method="full",
        n_steps=n,
        density=Density.of(values, weights, counted=True) if density else None,
    )


def _oriented(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn each column so that its element of largest size is positive."""
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1.0, signs)
