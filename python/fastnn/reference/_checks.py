"""What every function of the specification asks of its arrays."""

from __future__ import annotations

from difflib import get_close_matches
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

Array = npt.NDArray[np.floating[Any]]
T = TypeVar("T", bound=npt.NDArray[Any])


def check_floating(**arrays: object) -> None:
    """Raise TypeError unless all arrays given share one of float32 and float64."""
    first, dtype = None, None
    for name, array in arrays.items():
        if array is None:
            continue
        if not isinstance(array, np.ndarray):
            msg = f"{name} must be a NumPy array, got {type(array).__name__}"
            raise TypeError(msg)
        if array.dtype not in (np.float32, np.float64):
            msg = (
                f"{name} must be float32 or float64, got {array.dtype}: "
                f"convert it, e.g. {name}.astype(np.float32)"
            )
            raise TypeError(msg)
        if first is None:
            first, dtype = name, array.dtype
        if array.dtype != dtype:
            msg = (
                f"{name} is {array.dtype} but {first} is {dtype}: "
                "give all arrays one dtype"
            )
            raise TypeError(msg)


def check_shape(
    name: str, array: npt.NDArray[Any], shape: tuple[int, ...], why: str
) -> None:
    """Raise ValueError unless `array` has `shape`, which follows from `why`."""
    if array.shape != shape:
        msg = f"{name} has shape {array.shape}, expected {shape}: {why}"
        raise ValueError(msg)


def check_matrix(name: str, array: Array) -> None:
    """Raise ValueError unless `array` has rows and columns."""
    if array.ndim != 2:
        msg = (
            f"{name} has {array.ndim} dimensions, expected 2 (rows, columns): "
            f"use {name}.reshape(len({name}), -1)"
        )
        raise ValueError(msg)


def check_range(name: str, value: float, ok: bool, expected: str) -> None:
    """Raise ValueError naming the argument, its value and the bound it breaks."""
    if not ok:
        msg = f"{name} must be {expected}, got {value}"
        raise ValueError(msg)


def check_threads(n_threads: int | None) -> None:
    """Raise TypeError unless a kernel would take it; here NumPy decides for itself."""
    if n_threads is None:
        return
    if not isinstance(n_threads, Integral) or isinstance(n_threads, bool):
        msg = f"n_threads must be an integer or None, got {type(n_threads).__name__}"
        raise TypeError(msg)
    ok = 1 <= n_threads <= 1024
    check_range("n_threads", int(n_threads), ok, "from 1 to 1024, or None")


def stored(result: T, out: T | None, name: str = "out") -> T:
    """Return a result, in the memory of `out` if there is any."""
    if out is None:
        return result
    if not isinstance(out, np.ndarray) or out.dtype != result.dtype:
        got = (
            f"{out.dtype} array" if isinstance(out, np.ndarray) else type(out).__name__
        )
        msg = f"{name} must be a NumPy array of {result.dtype}, got {got}"
        raise TypeError(msg)
    check_shape(name, out, result.shape, "the shape of the result")
    out[...] = result
    return out


def unknown_name(argument: str, name: object, known: Iterable[str]) -> ValueError:
    """Return the error for a name outside `known`, with the nearest match."""
    names = sorted(known)
    near = get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return ValueError(
        f"{argument}: unknown name {name!r}{hint} Known names: {', '.join(names)}."
    )
