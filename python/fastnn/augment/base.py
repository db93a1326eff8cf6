"""What every augmentation shares."""

from __future__ import annotations

import dataclasses
from typing import Any, overload

import numpy.typing as npt

from fastnn._config import Config, is_int, short_repr, whole
from fastnn._native import core
from fastnn._validation import Array, TableLike

__all__ = ["Augment", "Picture"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Augment(Config):
    """Base of the augmentations."""

    def _check_ranges(self) -> None:
        core.check_augment(self.to_native())

    def __repr__(self) -> str:
        """Show the class and the fields that differ from their defaults."""
        return short_repr(self)

    @overload
    def apply(self, X: TableLike, y: None = None, seed: int = 0) -> Array: ...
    @overload
    def apply(
        self, X: TableLike, y: npt.ArrayLike, seed: int = 0
    ) -> tuple[Array, Array]: ...
    def apply(
        self, X: TableLike, y: npt.ArrayLike | None = None, seed: int = 0
    ) -> Array | tuple[Array, Array]:
        """Return X, or (X, y), as the first step with this seed would see it.

        That is what `fastnn.augment.preview` returns for this augmentation alone.

        Examples
        --------
        >>> import fastnn as fnn
        >>> fnn.augment.Flip(p=1.0).apply([[[1.0, 2.0, 3.0]]]).tolist()
        [[[3.0, 2.0, 1.0]]]
        """
        from fastnn.augment.preview import preview  # noqa: PLC0415  (it knows us)

        if y is None:
            return preview(X, self, seed=seed)
        return preview(X, self, y=y, seed=seed)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Picture(Augment):
    """Base of those that change where things are in a picture."""

    _: dataclasses.KW_ONLY
    shape: tuple[int, ...] | None = None

    def _check_ranges(self) -> None:
        shape: Any = self.shape
        if shape is not None:
            if not isinstance(shape, (tuple, list)) or not all(map(is_int, shape)):
                raise TypeError(
                    f"{type(self).__name__}: shape must be (height, width) or (height, "
                    f"width, channels), got {shape!r}"
                )
            object.__setattr__(self, "shape", tuple(whole("shape", n) for n in shape))
            if len(shape) not in (2, 3):
                raise ValueError(
                    "shape must be (height, width) or (height, width, channels), got "
                    f"{shape!r}"
                )
        super()._check_ranges()

    def to_native(self) -> dict[str, Any]:
        """Return the dict from which C++ reads its twin; no shape is an empty one."""
        return {**super().to_native(), "shape": self.shape or ()}
