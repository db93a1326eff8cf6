"""Why does a network not train? Probes, findings with evidence, and a report."""

from __future__ import annotations

from fastnn.diagnosis.driver import diagnose
from fastnn.diagnosis.report import Finding, Report

__all__ = ["Finding", "Report", "diagnose"]
