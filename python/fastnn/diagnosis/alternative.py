"""A training with one thing changed, and what it means if it does better."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fastnn.diagnosis.codes import Code
from fastnn.diagnosis.report import Cause
from fastnn.diagnosis.trial import Run

__all__ = ["Alternative"]


@dataclasses.dataclass(frozen=True)
class Alternative:
    """One that may be tried beside the user's training."""

    code: Code
    cause: Cause
    title: str
    advice: str
    run: Callable[[], Run]
    evidence: dict[str, Any] = dataclasses.field(default_factory=dict)
