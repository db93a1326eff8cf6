"""Every kernel against the specification, over sizes around registers and tiles."""

import inspect

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


def plain(function):
    """What a call may look like: names, kinds and defaults, in order."""
    return [
        (p.name, p.kind, p.default)
        for p in inspect.signature(function).parameters.values()
    ]


@pytest.mark.parametrize("name", kernels.__all__)
def test_the_reference_has_every_kernel_and_its_signature(name):
    assert plain(getattr(reference, name)) == plain(getattr(kernels, name))


def memory_for(case, arguments, tuple_of):
    """New memory for what `out` takes: two kernels have it for each of the results."""
    results = tuple_of(case.run(*arguments))
    arrays = [np.empty_like(r) for r in results if isinstance(r, np.ndarray)]
    several = case.name in ("dense_backward", "dropout_forward")
    return tuple(arrays) if several else arrays[0]


@pytest.mark.parametrize("side", [kernels, reference], ids=["kernels", "reference"])
def test_out_is_the_memory_of_the_result(case, dtype, side, tuple_of):
    arguments = case.arguments(9, 6, dtype)
    function, options = getattr(side, case.name), dict(case.options)
    out = memory_for(case, arguments, tuple_of)
    expected = tuple_of(function(*arguments, **options))
    results = tuple_of(function(*arguments, **options, out=out, n_threads=2))
    for given in tuple_of(out):
        assert any(given is result for result in results)
    for result, exact in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, exact)


@pytest.mark.parametrize("side", [kernels, reference], ids=["kernels", "reference"])
def test_an_out_that_does_not_fit_is_named(case, dtype, side, tuple_of):
    arguments = case.arguments(9, 6, dtype)
    out = memory_for(case, arguments, tuple_of)
    first = tuple_of(out)[0]
    other = np.float32 if dtype is np.float64 else np.float64
    name = {"dense_backward": "dx", "dropout_forward": "y"}.get(case.name, "out")
    wrongs = (
        (first.astype(other), TypeError, f"{name} .*float"),
        (first[1:].copy(), ValueError, f"{name} has shape"),
        (3, TypeError, f"{name} must be"),
    )
    for wrong, error, message in wrongs:
        given = (wrong, *out[1:]) if isinstance(out, tuple) else wrong
        with pytest.raises(error, match=message):
            getattr(side, case.name)(*arguments, **dict(case.options), out=given)
    if isinstance(out, tuple):
        with pytest.raises(TypeError, match="out must be None or the tuple"):
            getattr(side, case.name)(*arguments, out=first)


@pytest.mark.parametrize("n_threads", [0, 1025, 1.5, True, "2"])
def test_the_reference_refuses_the_same_numbers_of_threads(n_threads):
    messages = set()
    for side in (kernels, reference):
        with pytest.raises((TypeError, ValueError), match="n_threads must be") as e:
            side.mse(np.ones(2), np.ones(2), n_threads=n_threads)
        messages.add((e.type, str(e.value)))
    assert len(messages) == 1


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


@pytest.mark.parametrize("given", [["relu"], np.ones(2), None, "rely"])
def test_both_refuse_what_is_no_activation(given):
    error = ValueError if isinstance(given, str) else TypeError
    for side in (kernels, reference):
        with pytest.raises(error, match="activation"):
            side.activation_forward(np.ones(2), given)
