"""What every schedule shares."""

from __future__ import annotations

import dataclasses
from typing import Literal

from fastnn._config import Config, number
from fastnn._native import core

__all__ = ["PureSchedule", "Schedule"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Schedule(Config):
    """Base of the schedules."""

    def _check_ranges(self) -> None:
        core.check_schedule(self.to_native())

    def at(self, step: float, lr: float) -> float:
        """Return the learning rate at a step.

        Parameters
        ----------
        step : float
            0 for the first epoch (or update, with ``per="step"``).
        lr : float
            The optimizer's own learning rate, >= 0.

        Returns
        -------
        float

        Raises
        ------
        TypeError
            No number.
        ValueError
            Negative or not finite, or a `ReduceOnPlateau`, which watches the run.

        Examples
        --------
        >>> import fastnn as fnn
        >>> [fnn.StepDecay(2, gamma=0.5).at(epoch, 0.1) for epoch in range(5)]
        [0.1, 0.1, 0.05, 0.05, 0.025]
        """
        t, base = number("step", step), number("lr", lr)
        return core.schedule_at(self.to_native(), t, base)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PureSchedule(Schedule):
    """A schedule that counts epochs or steps."""

    _: dataclasses.KW_ONLY
    per: Literal["epoch", "step"] = "epoch"
