"""The learning rate of solver="sgd", by scikit-learn's rules."""

from __future__ import annotations

import dataclasses

__all__ = ["LearningRate"]

_SMALLEST = 1e-6  # "adaptive" stops rather than divide once more
_DIVISOR = 5.0


@dataclasses.dataclass
class LearningRate:
    """A rate that follows the run.

    ::

        constant     lr
        invscaling   lr / (t + 1)^power_t      t: rows seen, changes after each epoch
        adaptive     lr / 5 whenever training no longer improves, until 1e-6
    """

    rule: str
    initial: float
    power_t: float
    current: float

    def after_epoch(self, rows_seen: int) -> None:
        """Take note of an epoch that ended."""
        if self.rule == "invscaling":
            self.current = self.initial / (rows_seen + 1) ** self.power_t

    def falls_on_plateau(self) -> bool:
        """Lower the rate where training no longer improves; False: stop instead."""
        if self.rule != "adaptive" or self.current <= _SMALLEST:
            return False
        self.current /= _DIVISOR
        return True
