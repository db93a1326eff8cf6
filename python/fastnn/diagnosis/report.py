"""What a diagnosis has to tell: findings with evidence, and one verdict."""

from __future__ import annotations

import dataclasses
import os
import textwrap
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

from fastnn.diagnosis.thresholds import HIGH_LOSS

__all__ = ["Cause", "Finding", "Report", "Severity", "Verdict"]

Cause: TypeAlias = Literal[
    "model_bias", "optimization", "overfitting", "mismatch", "data"
]
Verdict: TypeAlias = Literal[
    "healthy", "model_bias", "optimization", "overfitting", "mismatch", "data"
]
Severity: TypeAlias = Literal["severe", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("severe", "warning", "info")

_SAYS: dict[str, str] = {
    "healthy": "healthy: nothing was found that costs this training dearly",
    "model_bias": "model bias: the network cannot express what the data ask for",
    "optimization": "optimization: the network could fit the data, but training fails",
    "overfitting": "overfitting: what is learnt does not hold for new rows",
    "mismatch": "mismatch: the validation rows are not like the training rows",
    "data": "data: the rows, or what is asked of the outputs, are in the way",
}
_WIDTH = 79


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing found, with the numbers that show it.

    Attributes
    ----------
    code : str
        What it is, such as "learning_rate_low"; stable, for programs.
    severity : {"severe", "warning", "info"}
        "severe": shown to cost the fit dearly. "warning": likely to matter. "info":
        good to know.
    title : str
        One sentence.
    evidence : dict of str to number
        What was measured.
    advice : str
        What to do.
    cause : str or None
        The verdict it speaks for: "model_bias", "optimization", "overfitting",
        "mismatch" or "data".
    """

    code: str
    severity: Severity
    title: str
    evidence: dict[str, Any]
    advice: str
    cause: Cause | None = None

    def __str__(self) -> str:
        lines = [f"[{self.severity}] {self.title} ({self.code})"]
        if self.evidence:
            numbers = ", ".join(f"{k} {shown(v)}" for k, v in self.evidence.items())
            lines += _wrapped(numbers, "    ")
        lines += _wrapped(f"-> {self.advice}", "    ")
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, repr=False)
class Report:
    """What `diagnose` returns; ``print(report)`` tells it in words.

    Attributes
    ----------
    verdict : str
        One of "healthy", "model_bias", "optimization", "overfitting", "mismatch" and
        "data": what most keeps this network from doing well on new rows.
    findings : list of Finding
        The severe ones first.
    measurements : dict
        The numbers and curves behind them, by stage; what `plot` draws.
    seconds : float
        How long the diagnosis took.
    stages : tuple of str
        The stages that ran.
    complete : bool
        Whether all of them ran: False after a Ctrl-C or where the budget ended early.
    """

    verdict: Verdict
    findings: list[Finding]
    measurements: dict[str, Any]
    seconds: float
    stages: tuple[str, ...]
    complete: bool = True

    def __getitem__(self, code: str) -> Finding:
        """Return the finding of this code; KeyError if there is none."""
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(code)

    def __contains__(self, code: object) -> bool:
        return any(finding.code == code for finding in self.findings)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the findings, in order."""
        return tuple(finding.code for finding in self.findings)

    @property
    def severe(self) -> list[Finding]:
        """The severe findings."""
        return [f for f in self.findings if f.severity == "severe"]

    def __repr__(self) -> str:
        return f"Report(verdict={self.verdict!r}, findings={list(self.codes)})"

    @property
    def headline(self) -> str:
        """The verdict in words, or why there is none to be had."""
        if self.verdict != "healthy":
            return _SAYS[self.verdict]
        training = self.measurements.get("training")
        if training is None:
            return "undecided: the training was not tried, for want of rows or time"
        left = training["training"]
        if not left <= HIGH_LOSS:
            return (
                f"undecided: the training loss is high, a share of {left:.2f}, and "
                "nothing that was tried lowers it for new rows: the rest may be noise"
            )
        return _SAYS["healthy"]

    def __str__(self) -> str:
        rule = "-" * _WIDTH
        parts = [rule, *_wrapped(self.headline, ""), rule]
        parts += [str(finding) for finding in self.findings] or ["Nothing to report."]
        end = f"{len(self.stages)} stages in {self.seconds:.1f} s"
        parts += [rule, end if self.complete else f"{end}, not all: it was ended early"]
        return "\n".join(parts)

    def summary(self, most: int = 3) -> str:
        """Return the few lines that matter, or "" if the network is healthy."""
        if self.verdict == "healthy":
            return ""
        mine = [f for f in self.findings if f.cause == self.verdict]
        first = mine[0] if mine else self.findings[0]
        lines = [_SAYS[self.verdict], f"  {first.title}", f"  -> {first.advice}"]
        return "\n".join(lines[:most])

    def plot(self) -> Figure:
        """Draw what was measured: one page of small pictures.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra ``fastnn[plot]``.
        """
        from fastnn.diagnosis.picture import draw  # noqa: PLC0415  (matplotlib)

        return draw(self)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one self-contained page that opens offline and prints well.

        Parameters
        ----------
        path : str or path-like
            The file. One that exists is replaced whole.
        """
        from fastnn.diagnosis.page import write  # noqa: PLC0415  (few need it)

        write(self, path)

    def _repr_html_(self) -> str:
        from fastnn.diagnosis.page import fragment  # noqa: PLC0415  (few need it)

        return fragment(self)


def shown(value: Any) -> str:
    """Return a piece of evidence as people read it."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    return str(value)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
