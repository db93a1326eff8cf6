"""Functions to minimise, and the record of a run, for the tests of L-BFGS."""

import dataclasses

import numpy as np

from fastnn._native import core


def rosenbrock(x):
    a, b = 1 - x[:-1], x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -2 * a - 400 * x[:-1] * b
    gradient[1:] += 200 * b
    return float(np.sum(a**2 + 100 * b**2)), gradient


def quadratic(n=40, condition=1e4):
    """An ill-conditioned quadratic with its minimum 0 off the origin."""
    rng = np.random.RandomState(3)
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    matrix = basis * np.geomspace(1, condition, n) @ basis.T
    center = rng.standard_normal(n)

    def fun(x):
        slope = matrix @ (x - center)
        return float((x - center) @ slope / 2), slope

    return fun


def logistic_regression(n=200, columns=10, penalty=1e-3):
    rng = np.random.RandomState(4)
    X = rng.standard_normal((n, columns)) * np.geomspace(0.1, 3, columns)
    sign = np.where(X[:, 0] + 0.5 * rng.standard_normal(n) > 0, 1.0, -1.0)

    def fun(w):
        margin = sign * (X @ w)
        value = np.logaddexp(0, -margin).mean() + penalty / 2 * w @ w
        weight = -sign / (1 + np.exp(margin))
        return float(value), X.T @ weight / n + penalty * w

    return fun


@dataclasses.dataclass
class Point:
    """Where a function was evaluated."""

    x: np.ndarray
    value: float
    gradient: np.ndarray


class Recorded:
    """A function that remembers where it was evaluated."""

    def __init__(self, fun):
        self.fun = fun
        self.points = []

    def __call__(self, x):
        value, gradient = self.fun(x)
        self.points.append(Point(x.copy(), value, np.copy(gradient)))
        return value, gradient


def iterates(lbfgs, fun, x0):
    """Yield the points at which iterations end, the first being the start.

    With each comes how many evaluations its search made.
    """
    run = core.MinimizerF64(lbfgs.to_native(), np.asarray(x0, float))
    seen = {}
    n_iter, n_eval = -1, 0
    while not run.ended:
        point = run.point
        value, gradient = fun(point)
        seen[point.tobytes()] = Point(point, value, gradient)
        run.tell(value, gradient)
        if run.n_iter > n_iter:
            yield seen[run.x.tobytes()], run.n_eval - n_eval
            n_iter, n_eval = run.n_iter, run.n_eval
