"""Every kernel against the specification, over sizes around registers and tiles."""

import numpy as np
import pytest

from fastnn import kernels, reference


def test_equals_the_specification(case, dtype, close, tuple_of, all_pairs):
    for rows, cols in all_pairs:
        if not case.fits(rows, cols):
            continue
        arguments = case.arguments(rows, cols, dtype)
        actual, exact = case.run(*arguments), case.expect(*arguments)
        for a, e in zip(tuple_of(actual), tuple_of(exact), strict=True):
            if isinstance(a, np.ndarray) and a.dtype == np.bool_:
                np.testing.assert_array_equal(a, e)
            elif isinstance(a, float):
                close(a, e, terms=rows * cols, scale=np.zeros(0, dtype))
            else:
                assert a.dtype == dtype
                close(a, e, terms=max(rows, cols))


def test_does_not_change_its_arguments(case, dtype):
    arguments = case.arguments(9, 6, dtype)
    before = [np.copy(a) for a in arguments]
    case.run(*arguments)
    for a, b in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_many_tiles_of_rows(case, dtype, close, tuple_of):
    arguments = case.arguments(5001, 33, dtype)
    actual, exact = case.run(*arguments), case.expect(*arguments)
    for a, e in zip(tuple_of(actual), tuple_of(exact), strict=True):
        if isinstance(a, np.ndarray) and a.dtype == np.bool_:
            np.testing.assert_array_equal(a, e)
        else:
            close(a, e, terms=5001, scale=np.zeros(0, dtype))


def test_the_reference_has_every_kernel():
    for name in kernels.__all__:
        assert callable(getattr(reference, name))


@pytest.mark.parametrize("rows", [0, 1, 3, 513])
def test_batchnorm_keeps_digits_far_from_zero(rows, dtype):
    """Deviations are of values less their mean: an offset of 1e3 costs no digits."""
    if rows == 0:
        with pytest.raises(ValueError, match="rows of x"):
            kernels.batchnorm_forward(np.ones((0, 2), dtype), *np.ones((2, 2), dtype))
        return
    spread = np.linspace(-1, 1, rows)[:, None].astype(np.float32).astype(dtype)
    ones = np.ones(1, dtype)
    y, mean, inv_std = kernels.batchnorm_forward(spread + dtype(1024), ones, 0 * ones)
    shifted, _, exact = reference.batchnorm_forward(
        (spread + dtype(1024)).astype(float) - 1024, np.ones(1), np.zeros(1)
    )
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(mean, 1024 + spread.mean(), rtol=4 * eps)
    np.testing.assert_allclose(inv_std, exact, rtol=300 * eps)
    np.testing.assert_allclose(y, shifted, atol=4000 * eps)
