"""One schedule, or several: of the learning rate, weight decay, momentum, dropout."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from fastnn._config import nearest
from fastnn._plain import from_plain, to_plain
from fastnn.errors import ModelFileError
from fastnn.schedules import SCHEDULES
from fastnn.schedules.base import Schedule

if TYPE_CHECKING:
    from fastnn.layers import Layer
    from fastnn.optim import Optimizer

__all__ = ["GivenSchedule", "Schedules"]

GivenSchedule: TypeAlias = "Schedule | Mapping[str, Schedule]"
"""What `schedule=` takes: one of the learning rate, or several by their names."""

_OTHERS = ("weight_decay", "momentum", "dropout")  # in the order of the history
_NAMES = ("lr", *_OTHERS)


@dataclasses.dataclass(frozen=True)
class Schedules:
    """The schedules of a trainer, checked; `given` is what the user passed."""

    given: Any
    lr: Schedule | None
    others: dict[str, Schedule]

    @classmethod
    def checked(cls, given: object) -> Schedules:
        """Return them, or raise for what is no schedule or has no known name."""
        if given is None or isinstance(given, Schedule):
            return cls(given, given, {})
        if not isinstance(given, Mapping):
            raise _no_schedule("schedule", given)
        for name, schedule in given.items():
            _check_entry(name, schedule)
        others = {name: given[name] for name in _OTHERS if name in given}
        return cls(dict(given), given.get("lr"), others)

    def check_optimizer(self, optimizer: Optimizer) -> None:
        """Raise ValueError for a setting that the optimizer has not."""
        has = ["lr", *optimizer.scheduled()]
        for name in self.others:
            if name not in has:
                raise ValueError(
                    f"schedule[{name!r}]: {optimizer!r} has none to start from; what "
                    f"has a schedule with it is {', '.join(has)}"
                )

    def check_layers(self, layers: Iterable[Layer]) -> None:
        """Raise ValueError for a setting that no layer has."""
        if "dropout" in self.others and not any(map(_drops, layers)):
            raise ValueError(
                "schedule['dropout']: the network has no layer that drops elements: "
                "add Dropout(p), whose p the schedule starts from, or leave it out"
            )

    @property
    def curves(self) -> tuple[str, ...]:
        """The names of their curves in the history, that of the rate apart."""
        return tuple(self.others)

    def to_native(self) -> dict[str, Any]:
        """Return the entries of a trainer's config."""
        return {
            "schedule": None if self.lr is None else self.lr.to_native(),
            "other_schedules": {n: s.to_native() for n, s in self.others.items()},
        }

    def own(self) -> list[Schedule]:
        """Return those of a class that only the user's program knows."""
        every = [*self.others.values()] + ([] if self.lr is None else [self.lr])
        return [s for s in every if type(s) is not SCHEDULES.get(s.kind)]

    def to_plain(self) -> dict[str, Any] | None:
        """Return what was given as JSON can hold it."""
        if isinstance(self.given, dict):
            return {name: to_plain(s) for name, s in self.given.items()}
        return None if self.lr is None else to_plain(self.lr)

    @classmethod
    def from_plain(cls, plain: object, where: str) -> Schedules:
        """Return what `to_plain` made `plain` of; nothing is believed of it."""
        if plain is None:
            return cls.checked(None)
        if not isinstance(plain, dict) or "kind" in plain:
            return cls.checked(from_plain(Schedule, SCHEDULES, plain, where))
        for name in plain:
            if name not in _NAMES:
                raise ModelFileError(f"{where}.{name}", "is no field of this version")
        given = {
            name: from_plain(Schedule, SCHEDULES, schedule, f"{where}.{name}")
            for name, schedule in plain.items()
        }
        try:
            return cls.checked(given)
        except (TypeError, ValueError) as error:
            raise ModelFileError(where, str(error)) from None


def _check_entry(name: object, schedule: object) -> None:
    if name not in _NAMES:
        hint = nearest(name, _NAMES) if isinstance(name, str) else ""
        raise ValueError(
            f"schedule: {name!r} has no schedule{hint}; known names: "
            f"{', '.join(_NAMES)}"
        )
    if not isinstance(schedule, Schedule):
        raise _no_schedule(f"schedule[{name!r}]", schedule)
    if name != "lr" and schedule.kind == "reduce_on_plateau":
        raise ValueError(
            f"schedule[{name!r}] must be a function of the step, got {schedule!r}: "
            "only lr can follow a score"
        )


def _drops(layer: Any) -> bool:
    """Whether it, or a layer in it, drops elements with probability `p`."""
    return hasattr(layer, "p") or any(map(_drops, getattr(layer, "layers", ())))


def _no_schedule(argument: str, value: object) -> TypeError:
    if isinstance(value, type) and issubclass(value, Schedule):
        got = f"the class {value.__name__}: write {value.__name__}(...)"
    else:
        known = [schedule.__name__ for schedule in SCHEDULES.values()]
        hint = nearest(value, known) if isinstance(value, str) else ""
        got = f"{type(value).__name__} {value!r}{hint}"
    several = "" if "[" in argument else ", a mapping such as {'dropout': ...}"
    return TypeError(
        f"{argument} must be a schedule object such as fastnn.Cosine(30){several}, or "
        f"None, got {got}"
    )
