"""The table of kernels and what the tests of all of them share.

The oracle is `fastnn.reference`, run in float64 on the same numbers, so that only the
kernel's own rounding counts. A result that is a sum of n terms may be off by
``8 eps sqrt(n)`` of its largest element.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from fastnn import kernels, reference

SIZES = (0, 1, 2, 3, 7, 16, 17, 31, 33, 64, 65, 127, 513)
ACTIVATIONS = (
    *("identity", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "gelu_tanh"),
    *("silu", "mish", "sigmoid", "tanh", "softplus", "softsign"),
    *("hard_sigmoid", "hard_swish", "hard_tanh"),
)
NEED_Z = {"gelu", "gelu_tanh", "silu", "mish", "hard_swish"}


def pairs(n_shifts=3):
    """(rows, columns): every size in either place, not every combination."""
    return [
        (rows, SIZES[(i + shift) % len(SIZES)])
        for shift in (0, 5, 8, 11)[:n_shifts]
        for i, rows in enumerate(SIZES)
    ]


def triples():
    """(rows, inputs, outputs) in the same way."""
    n = len(SIZES)
    return [
        (rows, SIZES[(i + a) % n], SIZES[(i + b) % n])
        for a, b in ((0, 0), (3, 7), (10, 2))
        for i, rows in enumerate(SIZES)
    ]


@dataclass(frozen=True)
class Case:
    """One kernel with a recipe for its arguments."""

    name: str
    make: object  # (draw, rows, cols) -> positional arguments
    options: tuple = ()  # keyword arguments
    rows_from: int = 0
    cols_from: int = 0

    def arguments(self, rows, cols, dtype, seed=0):
        generator = np.random.default_rng([seed, rows, cols])

        def draw(*shape):
            return generator.standard_normal(shape).astype(dtype)

        return self.make(draw, rows, cols)

    def fits(self, rows, cols):
        return rows >= self.rows_from and cols >= self.cols_from

    def run(self, *arguments, **options):
        return getattr(kernels, self.name)(*arguments, **dict(self.options), **options)

    def expect(self, *arguments):
        """The same in float64, by the specification."""
        wide = [
            a.astype(np.float64)
            if isinstance(a, np.ndarray) and a.dtype.kind == "f"
            else a
            for a in arguments
        ]
        return getattr(reference, self.name)(*wide, **dict(self.options))


def _positive(array):
    return np.abs(array) + array.dtype.type(0.5)


def _labels(draw, rows, cols):
    return (np.abs(draw(rows)) * 1000).astype(np.int64) % max(cols, 1)


def _dense_backward(draw, rows, cols):
    x, w, b = draw(rows, cols), draw(5, cols), draw(5)
    y = np.tanh(x @ w.T + b)
    return draw(rows, 5), x, w, y, "tanh"


CASES = (
    Case("activation_forward", lambda d, r, c: (d(r, c), "elu")),
    Case("activation_backward", lambda d, r, c: (d(r, c), d(r, c), "gelu")),
    Case("dense_forward", lambda d, r, c: (d(r, c), d(5, c), d(5), "relu")),
    Case("dense_backward", _dense_backward),
    Case("batchnorm_forward", lambda d, r, c: (d(r, c), d(c), d(c)), rows_from=1),
    Case(
        "batchnorm_backward",
        lambda d, r, c: (d(r, c), d(r, c), d(c), d(c), _positive(d(c))),
        rows_from=1,
    ),
    Case(
        "batchnorm_inference",
        lambda d, r, c: (d(r, c), d(c), d(c), d(c), _positive(d(c))),
    ),
    Case("layernorm_forward", lambda d, r, c: (d(r, c), d(c), d(c)), cols_from=1),
    Case(
        "layernorm_backward",
        lambda d, r, c: (d(r, c), d(r, c), d(c), d(r), _positive(d(r))),
        cols_from=1,
    ),
    Case(
        "softmax_cross_entropy",
        lambda d, r, c: (4 * d(r, c), _labels(d, r, c)),
        rows_from=1,
        cols_from=1,
    ),
    Case("mse", lambda d, r, c: (d(r, c), d(r, c)), rows_from=1, cols_from=1),
    Case(
        "squared_error",
        lambda d, r, c: (d(r, c), d(r, c)),
        rows_from=1,
        cols_from=1,
    ),
    Case("mae", lambda d, r, c: (d(r, c), d(r, c)), rows_from=1, cols_from=1),
    Case(
        "huber",
        lambda d, r, c: (2 * d(r, c), d(r, c)),
        (("delta", 0.7),),
        rows_from=1,
        cols_from=1,
    ),
    Case("log_cosh", lambda d, r, c: (d(r, c), d(r, c)), rows_from=1, cols_from=1),
    Case(
        "quantile_loss",
        lambda d, r, c: (d(r, c), d(r, c)),
        (("q", 0.7),),
        rows_from=1,
        cols_from=1,
    ),
    Case(
        "gaussian_nll",
        lambda d, r, c: (d(r, 2 * c), d(r, c)),
        (("eps", 0.3),),
        rows_from=1,
        cols_from=1,
    ),
    Case(
        "focal_loss",
        lambda d, r, c: (4 * d(r, c), _labels(d, r, c)),
        rows_from=1,
        cols_from=1,
    ),
    Case(
        "hinge",
        lambda d, r, c: (d(r, c), (d(r, c) > 0).astype(np.int8)),
        rows_from=1,
        cols_from=1,
    ),
    Case(
        "poisson_nll",
        lambda d, r, c: (d(r, c), np.floor(_positive(3 * d(r, c)))),
        (("sum_outputs", True),),
        rows_from=1,
        cols_from=1,
    ),
    Case(
        "binary_cross_entropy",
        lambda d, r, c: (3 * d(r, c), (d(r, c) > 0).astype(np.int8)),
        rows_from=1,
        cols_from=1,
    ),
    Case("dropout_forward", lambda d, r, c: (d(r, c), 0.3, 7, 11)),
    Case("dropout_backward", lambda d, r, c: (d(r, c), d(r, c) > 0, 0.3)),
)


def as_tuple(results):
    return results if isinstance(results, tuple) else (results,)


def assert_close(actual, exact, terms=1, scale=None):
    """Within the rounding of a sum of so many terms; NaN, infinity where expected."""
    if isinstance(exact, float):
        actual, exact = np.float64(actual), np.float64(exact)
    assert actual.shape == exact.shape
    eps = np.finfo(scale.dtype if scale is not None else actual.dtype).eps
    largest = np.abs(exact[np.isfinite(exact)]).max(initial=1.0)
    allowed = 8 * eps * np.sqrt(max(terms, 1)) * largest
    np.testing.assert_allclose(actual, exact, rtol=0, atol=allowed)


def pytest_generate_tests(metafunc):
    """`case` runs over the table, `dtype` over both dtypes."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=[c.name for c in CASES])
    if "dtype" in metafunc.fixturenames:
        metafunc.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
    if "activation" in metafunc.fixturenames:
        metafunc.parametrize("activation", ACTIVATIONS)


@pytest.fixture(scope="session")
def close():
    return assert_close


@pytest.fixture(scope="session")
def tuple_of():
    return as_tuple


@pytest.fixture(scope="session")
def all_pairs():
    return pairs()


@pytest.fixture(scope="session")
def all_triples():
    return triples()


@pytest.fixture
def needs_z(activation):
    return activation in NEED_Z
