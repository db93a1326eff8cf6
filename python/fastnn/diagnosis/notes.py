"""What the stages of a diagnosis share and leave behind."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastnn.diagnosis.codes import Code
from fastnn.diagnosis.lab import Lab
from fastnn.diagnosis.report import Cause, Finding, Severity
from fastnn.diagnosis.trial import Run

__all__ = ["Case", "Notes"]


class Notes:
    """Findings and measurements, as they come in."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.measurements: dict[str, Any] = {}

    def find(
        self,
        code: Code,
        severity: Severity,
        title: str,
        *,
        advice: str,
        cause: Cause | None = None,
        **evidence: Any,
    ) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, severity, title, evidence, advice, cause))

    def has(self, code: str) -> bool:
        """Whether there is a finding of this code."""
        return any(finding.code == code for finding in self.findings)

    def drop(self, code: str) -> None:
        """Forget the finding of this code: a later one knows more."""
        self.findings = [f for f in self.findings if f.code != code]


@dataclasses.dataclass
class Case:
    """One diagnosis under way: each stage reads what those before it found."""

    lab: Lab
    notes: Notes
    main: Run | None = None  # the user's training
    tried: list[Run] = dataclasses.field(default_factory=list)
    linear: Run | None = None  # a linear model, trained as well as can be
    suggested_rate: float | None = None  # by the range test
    unscaled: bool = False  # whether columns of X are worth standardising

    @property
    def trained(self) -> Run:
        """The user's training, which must have been tried."""
        assert self.main is not None  # noqa: S101
        return self.main
