"""A case: what is passed to `diagnose`, and what it must say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import fastnn as fnn


@dataclasses.dataclass(frozen=True)
class Case:
    """What is passed to `diagnose`, and what it must say."""

    name: str
    verdict: str
    make: Callable[[], dict[str, Any]]

    def diagnose(self, budget: str = "20s") -> fnn.Report:
        """Return the report on it."""
        return fnn.diagnose(**self.make(), budget=budget, verbose=0)


REGISTERED: list[Case] = []


def case(verdict: str) -> Callable[[Callable[[], dict[str, Any]]], Any]:
    """Register a function as a case of this verdict."""

    def register(make: Callable[[], dict[str, Any]]) -> Any:
        name = (make.__doc__ or "").strip().rstrip(".")
        REGISTERED.append(Case(name, verdict, make))
        return make

    return register
