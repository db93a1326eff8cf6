"""Anything array-like -> numbers -> a C-contiguous array of finite values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._validation.frames import frame_numbers

__all__ = [
    "BEFORE_TRAINING",
    "Array",
    "as_numbers",
    "as_records",
    "as_table",
    "check_shape",
    "finite_in_dtype",
    "in_dtype",
    "is_sparse",
    "looks_finite",
    "not_finite",
    "where_first",
]

Array: TypeAlias = npt.NDArray[Any]

_DTYPES = {name: np.dtype(name) for name in ("float32", "float64")}

# dtype.kind -> what to do about it
_REFUSED = {
    "O": "convert it to numbers first, e.g. by .astype(float)",
    "U": "encode text as numbers, labels by np.unique(labels, return_inverse=True)[1]",
    "S": "encode text as numbers, labels by np.unique(labels, return_inverse=True)[1]",
    "M": "turn dates into numbers first, e.g. days since a reference date",
    "m": "turn durations into numbers first, e.g. by / np.timedelta64(1, 's')",
    "c": "pass real and imaginary parts as separate columns",
    "V": "pass a plain two-dimensional array of numbers",
}


def as_numbers(argument: str, value: Any, dtype: str | None = None) -> Array:
    """Return `value` as an array of booleans, integers or floats, uncopied.

    A data frame that has to be copied becomes `dtype`, if given, at once.

    Raises
    ------
    TypeError
        For what is no dense array of real numbers.
    ValueError
        For nested lists whose rows differ in length.
    """
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return value
    array = _as_array(argument, value, dtype)
    if array.dtype.kind in "biuf":
        return array
    raise TypeError(_not_numbers(argument, value, array))


def as_records(argument: str, value: Any) -> Array:
    """Return `value` as an array of anything but Python objects, uncopied.

    Raises
    ------
    TypeError, ValueError
        As `as_numbers`, but text, dates and structured records pass.
    """
    array = _as_array(argument, value)
    if array.dtype.kind == "O":
        raise TypeError(
            f"{argument} must be an array of numbers, text or records, got dtype "
            f"object: {_REFUSED['O']}"
        )
    return array


def _as_array(argument: str, value: Any, dtype: str | None = None) -> Array:
    """Return `value` as a dense array; frames, where they must, as `dtype`."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{argument} is a masked array; its mask would be lost: fill the masked "
            f"entries ({argument}.filled(value)) or drop their rows"
        )
    if is_sparse(value):
        raise TypeError(
            f"{argument} is a sparse matrix ({type(value).__name__}), which only X may "
            f"be: pass {argument}.toarray()"
        )
    if value is None or isinstance(value, (str, bytes, dict, set)):
        raise TypeError(
            f"{argument} must be an array, data frame or nested list of numbers, "
            f"got {type(value).__name__}"
        )
    if (numbers := frame_numbers(argument, value, dtype)) is not None:
        return numbers
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{argument} cannot be made an array; do all rows have the same length? "
            f"({error})"
        ) from None
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"{argument} cannot be made an array: {error}") from None
    return array


def is_sparse(value: object) -> bool:
    """Whether this is a sparse matrix: SciPy's, or one that can become SciPy's."""
    return hasattr(type(value), "tocsr")


def _not_numbers(argument: str, value: object, array: Array) -> str:
    """Say what the array holds instead of numbers."""
    kind, what = array.dtype.kind, f"dtype {array.dtype}"
    if kind == "O" and array.ndim == 0:
        what = type(value).__name__
    elif kind == "O" and isinstance(next(iter(array.flat), None), str):
        kind, what = "U", f"text (dtype {array.dtype})"
    return f"{argument} must hold real numbers, got {what}: {_REFUSED[kind]}"


def where_first(bad: npt.NDArray[np.bool_], names: Sequence[object] = ()) -> str:
    """Say how many entries are true and where the first stands.

    `names` are those of the columns, if they have any.
    """
    count = int(np.count_nonzero(bad))
    position = [int(i) for i in np.unravel_index(np.argmax(bad), bad.shape)]
    first = f"row {position[0]}"
    if len(position) > 1:
        first += f", column {position[1]}"
        first += f" ({names[position[1]]!r})" if names else ""
    return f"{count} {'entry' if count == 1 else 'entries'}, the first at {first}"


def looks_finite(array: Array) -> bool:
    """One pass: x.x is finite if all x are (and no square overflows)."""
    flat = array.reshape(-1)
    return math.isfinite(np.vdot(flat, flat))


def in_dtype(array: Array, dtype: str) -> Array:
    """Return the array in `dtype`, aligned and C-contiguous: itself if it is so."""
    wanted = _DTYPES[dtype]
    if array.dtype == wanted:
        flags = array.flags
        if flags.c_contiguous and flags.aligned:
            return array
    with np.errstate(over="ignore"):
        return np.require(array, wanted, ["C", "A"])


BEFORE_TRAINING = "drop these rows or fill them in before training"


def finite_in_dtype(
    argument: str,
    array: Array,
    dtype: str,
    advice: str = BEFORE_TRAINING,
    names: Sequence[object] = (),
) -> Array:
    """Return the array in `dtype`, aligned, C-contiguous and finite.

    `dtype` is "float32" or "float64"; an array that is right already is not copied.
    `names` are those of the columns, if they have any.

    Raises
    ------
    ValueError
        If it holds NaN or infinity, or numbers too large for `dtype`.
    """
    result = in_dtype(array, dtype)
    if looks_finite(result) or np.isfinite(result).all():
        return result
    raise not_finite(
        argument, array, dtype, advice, lambda bad: where_first(bad, names)
    )


def not_finite(
    argument: str,
    array: Array,
    dtype: str,
    advice: str = BEFORE_TRAINING,
    where: Callable[[npt.NDArray[np.bool_]], str] = where_first,
) -> ValueError:
    """Return the error for an array with elements that are no numbers of `dtype`.

    `where` says where the true entries of an array stand.
    """
    bad = ~np.isfinite(array)
    if bad.any():
        return ValueError(f"{argument} holds NaN or infinity ({where(bad)}): {advice}")
    beyond = ~np.isfinite(in_dtype(array, dtype))
    return ValueError(
        f"{argument} holds {array.dtype} numbers beyond the range of "
        f"{dtype} ({where(beyond)}): scale them down or "
        'use a network with dtype="float64"'
    )


def as_table(
    argument: str, value: object, in_features: int | None, dtype: str | None = None
) -> Array:
    """Return X as an (n, in_features) array of numbers, as `as_numbers`, unchecked.

    Pictures, (n, height, width) or (n, height, width, channels), become rows.

    Raises
    ------
    TypeError, ValueError
        If it is no two-dimensional array of numbers, or one of pictures, with at least
        one row and `in_features` columns (None: any number but 0).
    """
    array = as_numbers(argument, value, dtype)
    if array.ndim in (3, 4):
        return _flattened(argument, array, in_features, dtype)
    if array.ndim != 2:
        raise ValueError(
            f"{argument} must be two-dimensional, (rows, features), or pictures, "
            "(rows, height, width) or (rows, height, width, channels), got shape "
            f"{array.shape}: {_reshape_advice(argument, array, in_features)}"
        )
    if array.size == 0 or array.shape[1] != in_features:
        check_shape(argument, array.shape, in_features)
    return array


def _flattened(
    argument: str, pictures: Array, in_features: int | None, dtype: str | None
) -> Array:
    """Return pictures as rows, copied at most once if they are to be of `dtype`."""
    width = math.prod(pictures.shape[1:])
    if in_features is not None and width != in_features:
        product = " x ".join(map(str, pictures.shape[1:]))
        raise ValueError(
            f"{argument} has shape {pictures.shape}, pictures of {product} = {width} "
            f"numbers, but the network expects {in_features}; pass pictures of the "
            "size it was built for, or the rows it was built for: "
            f"{argument}.reshape(len({argument}), -1) shows how wide these are"
        )
    check_shape(argument, (len(pictures), width), in_features)
    if dtype is not None:
        pictures = in_dtype(pictures, dtype)
    return pictures.reshape(len(pictures), width)


def check_shape(argument: str, shape: tuple[int, ...], in_features: int | None) -> None:
    """Raise ValueError unless a table has rows, and the columns of the network."""
    rows, columns = shape
    if columns == 0:
        raise ValueError(f"{argument} has 0 features (shape {shape})")
    if in_features is not None and columns != in_features:
        raise ValueError(
            f"{argument} has {columns} features, but the network expects "
            f"{in_features}; pass the columns it was built for"
        )
    if rows == 0:
        raise ValueError(f"{argument} has 0 rows (shape {shape})")


def _reshape_advice(argument: str, array: Array, in_features: int | None) -> str:
    if array.ndim == 0:
        return "a single number is not a table"
    if array.ndim > 2:
        return f"flatten each row by {argument}.reshape(len({argument}), -1)"
    if in_features == 1:
        return f"{argument}.reshape(-1, 1) makes each number a row"
    if in_features == array.size:
        return f"{argument}.reshape(1, -1) makes it one row"
    return (
        f"{argument}.reshape(1, -1) makes it one row, "
        f"{argument}.reshape(-1, 1) one column"
    )
