"""Hypothesis: the same numbers in every layout and type an array may come in."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def _reversed(a):
    return a[::-1].copy()[::-1]


def _strided(a):
    wide = np.zeros((*a.shape[:-1], 3 * a.shape[-1]), a.dtype)
    wide[..., ::3] = a
    return wide[..., ::3]


def _read_only(a):
    b = a.copy()
    b.setflags(write=False)
    return b


def _unaligned(a):
    raw = np.empty(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    raw[...] = a
    return raw


LAYOUTS = {
    "c": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "transposed": lambda a: a.T.copy().T,
    "reversed": _reversed,
    "strided": _strided,
    "big_endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "read_only": _read_only,
    "unaligned": _unaligned,
    "list": lambda a: a.tolist(),
}
"""Each returns the numbers of a plain array in another shape of memory."""

FEATURE_DTYPES = ("f2", "f4", "f8", "i1", "u1", "i2", "i4", "u4", "i8", "?")


def features(max_rows: int = 6, columns: int = 3) -> st.SearchStrategy[np.ndarray]:
    """Arrays (n, columns) of every type, whose values all types can hold exactly."""
    shapes = st.tuples(st.integers(1, max_rows), st.just(columns))
    numbers = hnp.arrays(np.int8, shapes, elements=st.integers(0, 100))
    return st.builds(
        lambda a, dtype: a.astype(dtype), numbers, st.sampled_from(FEATURE_DTYPES)
    )


def layouts() -> st.SearchStrategy[str]:
    """A name in LAYOUTS."""
    return st.sampled_from(sorted(LAYOUTS))
