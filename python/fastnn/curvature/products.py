"""Products of the Hessian, and of its Gauss-Newton part, with a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn._validation import Array, TableLike, as_numbers, finite_in_dtype
from fastnn.curvature._objective import MOST_FOR_FULL, Objective
from fastnn.losses import Loss, LossFunction
from fastnn.sequential import Sequential

__all__ = [
    "gauss_newton_vector_product",
    "hessian_matrix",
    "hessian_vector_product",
]


def hessian_vector_product(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    v: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    sample_weight: npt.ArrayLike | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    n_threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Return H v, the Hessian of the mean loss on (X, y) times a vector.

    Exact to rounding, by Pearlmutter's R-operator: a sweep forward and one backward
    beside those of the gradient, in C++, without making H. It takes at most some six
    times as long as ``net.loss_and_gradients`` on the same rows, in memory that does
    not grow with their number. The network stays as it is.

    Parameters
    ----------
    net : Sequential
        Built; taken in float64 and in inference mode: dropout and noise off,
        `BatchNorm` by its running statistics.
    X, y, sample_weight : array-like
        As for ``net.fit``; all rows together.
    v : array-like of shape (n_parameters,)
        Finite numbers in the order of ``net.parameters``. Frozen layers are part of it.
    loss : str, Loss or callable, optional
        None: the loss last fitted with. Of a loss of your own, whose second derivative
        nobody told, the slope is asked for a little to either side: what comes out is
        good to about 1e-9, relatively.
    l1, l2 : float, default 0.0
        Penalties on weights, as for ``fit``. `l2` adds ``l2 * v`` for these; `l1` has
        no curvature, but for layers with weight normalisation.
    n_threads : int, optional
        As for ``net.predict``. The bits of the result do not depend on it.

    Returns
    -------
    ndarray of shape (n_parameters,), float64

    Raises
    ------
    NotBuiltError
        If the width of the input is not known yet.
    TypeError, ValueError
        If an argument is unusable, or the product overflows.

    References
    ----------
    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6
    (1994).

    Examples
    --------
    y = w1 w2 x has the Hessian [[0, -2], [-2, 0]] at w = 0, for x = y = 1:

    >>> import fastnn as fnn
    >>> net = fnn.Sequential(
    ...     fnn.Dense(1, use_bias=False, init="zeros"),
    ...     fnn.Dense(1, use_bias=False, init="zeros"),
    ... ).build(1)
    >>> fnn.hessian_vector_product(net, [[1.0]], [1.0], [1.0, 0.0], loss="mse").tolist()
    [0.0, -2.0]
    """
    objective = Objective(
        "hessian_vector_product",
        net,
        X,
        y,
        loss=loss,
        sample_weight=sample_weight,
        l1=l1,
        l2=l2,
        n_threads=n_threads,
    )
    return objective.product(_as_vector(v, objective.n_parameters))


def gauss_newton_vector_product(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    v: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    sample_weight: npt.ArrayLike | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    n_threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Return G v, the Gauss-Newton part of the Hessian times a vector.

    ``G = J' H_l J``, J the derivative of the outputs with respect to the parameters and
    H_l the loss' own Hessian with respect to the outputs: what is left of the Hessian
    of a network that is linear in its parameters. It has no negative eigenvalue if the
    loss is convex in the outputs, as all are but `GaussianNLL` and `Focal`; with
    `CrossEntropy` it is the Fisher matrix.

    Parameters
    ----------
    net, X, y, v, loss, sample_weight, l1, l2, n_threads
        As for `hessian_vector_product`.

    Returns
    -------
    ndarray of shape (n_parameters,), float64

    References
    ----------
    Schraudolph, "Fast curvature matrix-vector products for second-order gradient
    descent", Neural Computation 14 (2002).

    Examples
    --------
    >>> import fastnn as fnn
    >>> net = fnn.Sequential(fnn.Dense(1, init=([[2.0]], [0.0])))
    >>> fnn.gauss_newton_vector_product(
    ...     net, [[3.0]], [5.0], [1.0, 0.0], loss="mse"
    ... ).tolist()
    [18.0, 6.0]
    """
    objective = Objective(
        "gauss_newton_vector_product",
        net,
        X,
        y,
        loss=loss,
        sample_weight=sample_weight,
        l1=l1,
        l2=l2,
        n_threads=n_threads,
    )
    return objective.product(_as_vector(v, objective.n_parameters), "gauss_newton")


def hessian_matrix(
    net: Sequential,
    X: TableLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    sample_weight: npt.ArrayLike | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    n_threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Return the whole Hessian of a small network, made column by column.

    Parameters
    ----------
    net : Sequential
        Of at most 2,000 parameters.
    X, y, loss, sample_weight, l1, l2, n_threads
        As for `hessian_vector_product`.

    Returns
    -------
    ndarray of shape (n_parameters, n_parameters), float64
        Symmetric.

    Raises
    ------
    ValueError
        If the network has more parameters, and as for `hessian_vector_product`.

    Examples
    --------
    >>> import fastnn as fnn
    >>> from fastnn import curvature
    >>> net = fnn.Sequential(fnn.Dense(1, init=([[2.0]], [0.0])))
    >>> curvature.hessian_matrix(net, [[3.0]], [5.0], loss="mse").tolist()
    [[18.0, 6.0], [6.0, 2.0]]
    """
    objective = Objective(
        "hessian_matrix",
        net,
        X,
        y,
        loss=loss,
        sample_weight=sample_weight,
        l1=l1,
        l2=l2,
        n_threads=n_threads,
    )
    if objective.n_parameters > MOST_FOR_FULL:
        raise ValueError(
            f"net has {objective.n_parameters} parameters, too many for a whole "
            f"Hessian: at most {MOST_FOR_FULL} are possible; use "
            "hessian_vector_product or hessian_spectrum"
        )
    return objective.hessian()


def _as_vector(value: Any, n: int) -> Array:
    array = as_numbers("v", value)
    if array.shape != (n,):
        raise ValueError(
            f"v must have shape ({n},), one number for each of net.parameters, got "
            f"{array.shape}"
        )
    return finite_in_dtype("v", array, "float64", advice="give finite numbers")
