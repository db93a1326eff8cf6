"""A rise before another schedule."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from fastnn.schedules.base import PureSchedule, Schedule

__all__ = ["Warmup"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Warmup(PureSchedule):
    """Rise to the rate in equal parts, then follow another schedule.

    At step t the rate is ``lr (t + 1) / steps`` for ``t < steps``: ``lr / steps`` at
    first, the whole of `lr` at step ``steps - 1``. From step `steps` on it is
    ``then.at(t - steps, lr)``, or `lr` without `then`.

    Parameters
    ----------
    steps : int
        Epochs (or steps) of the rise, >= 1.
    then : Schedule, optional
        What follows, counted from the end of the rise. It must count the same unit, and
        cannot be a `ReduceOnPlateau`.
    per : {"epoch", "step"}, default "epoch"
        What is counted; usually "step". Keyword only.

    Raises
    ------
    TypeError
        `then` is no schedule.
    ValueError
        A setting out of range, or a `then` that counts another unit.

    Notes
    -----
    torch builds it from `LinearLR` and `SequentialLR`.

    References
    ----------
    Goyal et al. (2017), Accurate, large minibatch SGD, section 2.2, arXiv:1706.02677.

    Examples
    --------
    >>> import fastnn as fnn
    >>> schedule = fnn.Warmup(4, fnn.Exponential(0.5))
    >>> [schedule.at(epoch, 1.0) for epoch in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    """

    kind: ClassVar[str] = "warmup"

    steps: int
    then: Schedule | None = None

    def _check_ranges(self) -> None:
        if self.then is not None and not isinstance(self.then, Schedule):
            raise TypeError(
                "Warmup: then must be a schedule or None, "
                f"got {type(self.then).__name__} {self.then!r}"
            )
        super()._check_ranges()

    def to_native(self) -> dict[str, Any]:
        """Return the dict from which C++ reads its twin, `then` inside it."""
        then = None if self.then is None else self.then.to_native()
        return {**super().to_native(), "then": then}
