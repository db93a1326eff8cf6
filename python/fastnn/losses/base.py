"""What all losses have in common."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Literal

from fastnn._config import Config
from fastnn._native import core

__all__ = ["Loss"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Loss(Config):
    """A description of what training makes small."""

    targets: ClassVar[Literal["any", "values", "classes", "labels"]] = "values"
    """What y holds: numbers, one of k classes, yes/no labels, or whatever."""

    are_logits: ClassVar[bool] = True
    """Whether softmax (of classes) or sigmoid (of labels) makes probabilities."""

    least_target: ClassVar[float] = -math.inf
    """No number in y may be smaller."""

    takes_signs: ClassVar[bool] = False
    """Whether labels may be -1 and 1 as well as 0 and 1."""

    def _check_ranges(self) -> None:
        core.check_loss(self.to_native())

    def target_width(self, n_outputs: int) -> int:
        """Return how many values a row of y has for so many outputs."""
        return n_outputs

    def check_outputs(self, n_outputs: int) -> None:
        """Raise ValueError if the loss cannot judge `n_outputs` outputs."""
