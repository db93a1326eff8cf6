"""The trace of the Hessian by Hutchinson's method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastnn._validation import TableLike, check_int
from fastnn.curvature._lanczos import random_signs
from fastnn.curvature._objective import Objective
from fastnn.losses import Loss, LossFunction
from fastnn.sequential import Sequential

__all__ = ["Trace", "hessian_trace"]


class Trace(NamedTuple):
    """An estimate of a trace."""

    value: float
    """The estimate: its expectation is the trace."""
    standard_error: float
    """How far from the trace it is, typically."""
    n_probes: int
    """How many random vectors it is the mean of."""


def hessian_trace(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    sample_weight: npt.ArrayLike | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    n_probes: int = 32,
    seed: int = 0,
    n_threads: int | None = None,
) -> Trace:
    """Estimate the trace of the Hessian, the sum of all curvatures.

    The mean of z' H z over vectors z of random signs.

    Parameters
    ----------
    net, X, y, loss, sample_weight, l1, l2, n_threads
        As for `hessian_spectrum`.
    n_probes : int, default 32
        Random vectors, >= 2, one product each. The standard error falls with its root.
    seed : int, default 0
        Of the random signs: the same seed gives the same estimate.

    Returns
    -------
    Trace
        ``value, standard_error, n_probes``.

    References
    ----------
    Hutchinson, "A stochastic estimator of the trace of the influence matrix for
    Laplacian smoothing splines", Communications in Statistics 19 (1990).

    Examples
    --------
    Signs find a diagonal Hessian without error:

    >>> import fastnn as fnn
    >>> from fastnn import curvature
    >>> net = fnn.Sequential(fnn.Dense(1, use_bias=False, init="zeros")).build(1)
    >>> curvature.hessian_trace(net, [[3.0]], [5.0], loss="mse")
    Trace(value=18.0, standard_error=0.0, n_probes=32)
    """
    n_probes = check_int("n_probes", n_probes, 2)
    seed = check_int("seed", seed, 0, below=2**64)
    objective = Objective(
        "hessian_trace",
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
    n = objective.n_parameters
    samples = np.empty(n_probes)
    for i in range(n_probes):
        z = random_signs(n, seed, i)
        samples[i] = n * (z @ objective.product(z))
    error = samples.std(ddof=1) / np.sqrt(n_probes)
    return Trace(float(samples.mean()), float(error), n_probes)
