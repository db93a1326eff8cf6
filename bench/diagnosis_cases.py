"""Diagnose trainings whose cause of failure is known, and count the right verdicts.

    python bench/diagnosis_cases.py                 # all, with the default budget
    python bench/diagnosis_cases.py --quick         # one of each kind

The cases are those of ``tests/diagnosis/cases/``, which the tests run too. Writes
``docs/diagnosis_cases.md``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from report import markdown_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

PAGE = Path(__file__).parents[1] / "docs" / "diagnosis_cases.md"
HEADER = ("case", "cause", "verdict", "severe findings", "seconds")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one of each kind")
    options = parser.parse_args(argv)
    from diagnosis.cases import CASES

    cases = CASES
    if options.quick:
        cases = list({case.verdict: case for case in reversed(CASES)}.values())
    rows, right = [], 0
    for case in cases:
        report = case.diagnose("30s")
        is_right = report.verdict == case.verdict
        is_right &= case.verdict != "healthy" or not report.severe
        right += is_right
        rows.append(
            (
                case.name,
                case.verdict,
                report.verdict if is_right else f"**{report.verdict}**",
                ", ".join(finding.code for finding in report.severe) or "none",
                f"{report.seconds:.1f}",
            )
        )
        print(f"{case.name}: {report.verdict} ({report.seconds:.1f} s)", flush=True)
    print(f"{right} of {len(cases)} verdicts are right")
    if options.quick:
        assert right == len(cases)
        return
    PAGE.write_text(_page(rows, right), encoding="utf-8")


def _page(rows: list[tuple[str, ...]], right: int) -> str:
    head = (
        "# Diagnoses of known causes\n\n"
        f"{right} of {len(rows)} verdicts are right; a wrong one would stand in bold. "
        "Made by `bench/diagnosis_cases.py`.\n\n"
    )
    return head + markdown_table(HEADER, rows)


if __name__ == "__main__":
    main()
