"""Inputs of any layout give the bits of their plain copy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnn import kernels


def misaligned(a):
    raw = np.zeros(a.nbytes + 1, np.uint8)
    copy = raw[1:].view(a.dtype).reshape(a.shape)
    copy[...] = a
    return copy


def spaced(a):
    wide = np.zeros([3 * n + 1 for n in a.shape], a.dtype)
    view = wide[tuple(slice(1, 3 * n + 1, 3) for n in a.shape)]
    view[...] = a
    return view


def read_only(a):
    copy = a.copy()
    copy.setflags(write=False)
    return copy


def reversed_view(a):
    flip = (slice(None, None, -1),) * a.ndim
    return a[flip].copy()[flip]


LAYOUTS = {
    "plain": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "spaced": spaced,
    "reversed": reversed_view,
    "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": read_only,
    "misaligned": misaligned,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
}


@given(
    layouts=st.lists(st.sampled_from(sorted(LAYOUTS)), min_size=6, max_size=6),
    rows=st.integers(1, 40),
    cols=st.integers(1, 40),
)
def test_any_layout(case, dtype, tuple_of, layouts, rows, cols):
    arguments = case.arguments(rows, cols, dtype)
    changed = [
        LAYOUTS[layout](a) if isinstance(a, np.ndarray) else a
        for layout, a in zip(layouts, arguments, strict=False)
    ]
    results = zip(
        tuple_of(case.run(*changed)), tuple_of(case.run(*arguments)), strict=True
    )
    for actual, expected in results:
        np.testing.assert_array_equal(actual, expected)


def test_a_broadcast_row(dtype):
    row = np.linspace(-1, 1, 9).astype(dtype)
    x = np.broadcast_to(row, (5, 9))
    y, _, _ = kernels.layernorm_forward(x, row, row)
    exact, _, _ = kernels.layernorm_forward(x.copy(), row, row)
    np.testing.assert_array_equal(y, exact)


def test_subclasses_are_read_as_arrays(tmp_path, dtype):
    x = np.linspace(-1, 1, 12).astype(dtype).reshape(3, 4)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        kernels.activation_forward(mapped, "tanh"),
        kernels.activation_forward(x, "tanh"),
    )


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, np.bool_, np.float16])
def test_targets_of_any_number(kind, dtype):
    outputs = np.linspace(-1, 1, 12).astype(dtype)
    y = (np.arange(12) % 2).astype(kind)
    for name in ("mse", "mae", "huber", "poisson_nll", "binary_cross_entropy"):
        loss, gradient = getattr(kernels, name)(outputs, y)
        exact, slope = getattr(kernels, name)(outputs, y.astype(dtype))
        assert loss == exact
        np.testing.assert_array_equal(gradient, slope)
