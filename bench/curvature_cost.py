"""Time a product with the Hessian against a gradient of the same rows.

    python bench/curvature_cost.py             # all cases, 1 thread and all
    python bench/curvature_cost.py --quick     # small cases: does it run?

The claim: a product costs at most 6 gradients of a float32 network, though it is made
in float64. Contenders take turns, so that a busy moment of the machine strikes both.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np
from report import duration, time_in_turns

import fastnn as fnn

CASES = {  # widths, rows
    "784-256-128-10, 2,000 rows": ((784, 256, 128, 10), 2000),
    "784-256-128-10, 10,000 rows": ((784, 256, 128, 10), 10_000),
    "100-256-256-32-10, 10,000 rows": ((100, 256, 256, 32, 10), 10_000),
}
QUICK = {"20-30-3, 200 rows": ((20, 30, 3), 200)}


def measure(
    widths: tuple[int, ...], rows: int, dtype: str, n_threads: int, budget: float
) -> list[float]:
    """Return the median seconds of a gradient, a Hessian and a Gauss-Newton product."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, widths[0])).astype(dtype)
    y = rng.integers(0, widths[-1], size=rows)
    hidden = [fnn.Dense(width, "tanh") for width in widths[1:-1]]
    net = fnn.Sequential(*hidden, fnn.Dense(widths[-1]), dtype=dtype).build(widths[0])
    v = rng.normal(size=net.n_parameters)
    options = {"loss": "cross_entropy", "n_threads": n_threads}
    samples = time_in_turns(
        [
            lambda: net.loss_and_gradients(X, y, **options),
            lambda: fnn.hessian_vector_product(net, X, y, v, **options),
            lambda: fnn.gauss_newton_vector_product(net, X, y, v, **options),
        ],
        budget=budget,
    )
    return [sample.median for sample in samples]


def main(arguments: list[str]) -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few small cases")
    quick = parser.parse_args(arguments).quick
    threads = sorted({1, len(os.sched_getaffinity(0))})
    for label, (widths, rows) in (QUICK if quick else CASES).items():
        for dtype in ("float32", "float64"):
            for n in threads:
                gradient, hessian, gauss_newton = measure(
                    widths, rows, dtype, n, 0.2 if quick else 5.0
                )
                print(
                    f"{label:32} {dtype} {n} threads: gradient {duration(gradient)}, "
                    f"Hessian {hessian / gradient:.2f} gradients, "
                    f"Gauss-Newton {gauss_newton / gradient:.2f}"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
