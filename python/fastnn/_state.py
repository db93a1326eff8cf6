"""Tensors by name: checking a state dict before any of it is taken over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnn._validation import as_numbers, finite_in_dtype

__all__ = ["Tensor", "checked_state"]

Tensor: TypeAlias = tuple[str, npt.NDArray[Any], bool]
"""Name, a writable view of the numbers, whether training changes it by gradient."""


def checked_state(
    tensors: Iterable[Tensor], state: object, *, strict: bool
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of `state` that fit, or raise before anything is written."""
    if not isinstance(state, Mapping):
        raise TypeError(
            "state_dict must be a mapping from tensor names to arrays, got "
            f"{type(state).__name__}"
        )
    known = {name: view for name, view, _ in tensors}
    if strict:
        _check_names(set(known), set(state))
    return {
        name: _checked(name, state[name], view)
        for name, view in known.items()
        if name in state
    }


def _check_names(known: set[str], given: set[Any]) -> None:
    missing = ", ".join(sorted(known - given))
    unexpected = ", ".join(sorted(map(str, given - known)))
    if not missing and not unexpected:
        return
    parts = [f"missing {missing}"] if missing else []
    parts += [f"unexpected {unexpected}"] if unexpected else []
    raise ValueError(
        f"state_dict does not have the names of this network: {'; '.join(parts)}. "
        "Build the same layers, or load with strict=False to take what fits"
    )


def _checked(name: str, value: object, view: npt.NDArray[Any]) -> npt.NDArray[Any]:
    argument = f"state_dict[{name!r}]"
    array = as_numbers(argument, value)
    if array.shape != view.shape:
        raise ValueError(f"{argument} must have shape {view.shape}, got {array.shape}")
    if array.dtype.newbyteorder("=") != view.dtype:
        raise ValueError(
            f"{argument} must have dtype {view.dtype}, got {array.dtype}: convert it "
            f"by .astype(np.{view.dtype})"
        )
    if name.endswith("running_var") and np.any(array < 0):
        raise ValueError(f"{argument} holds variances, which must be >= 0")
    if array.dtype.kind == "f":
        return finite_in_dtype(
            argument,
            array.reshape(view.shape),
            view.dtype.name,
            advice="such a network cannot predict; take one saved while it was finite",
        )
    if np.any(array < 0):
        raise ValueError(f"{argument} is a count and must be >= 0, got {array}")
    return array
