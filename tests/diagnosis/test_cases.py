"""Known causes of failure, and healthy trainings: the verdict must be right.

All together take a minute: most run where FASTNN_THOROUGH=1, as in CI.
"""

import pytest

from diagnosis.cases import CASES, KINDS
from fastnn.diagnosis.codes import CODES

EVERYDAY = {
    "digits_two_layers",
    "digits_validated",
    "digits_trained",
    "linear_targets",
    "diabetes_slow",
    "wine_dead",
    "wave_fast",
    "circles_linear",
    "digits_sixty_rows",
    "digits_shifted",
    "digits_other_labels",
    "wine_unscaled",
    "wine_probabilities",
    "not_a_number",
}

pytest.importorskip("sklearn")
pytest.importorskip("mlxtend")


def test_there_are_cases_of_every_kind():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.make.__name__ for case in CASES} >= EVERYDAY
    verdicts = [case.verdict for case in CASES]
    assert all(verdicts.count(kind) >= 5 for kind in KINDS)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case.make.__name__,
            marks=() if case.make.__name__ in EVERYDAY else pytest.mark.thorough,
        )
        for case in CASES
    ],
)
def test_the_verdict_is_right(case):
    report = case.diagnose()
    assert report.verdict == case.verdict, str(report)
    assert set(report.codes) <= set(CODES)
    assert report.complete
    if case.verdict == "healthy":
        assert not report.severe, str(report)
    else:
        assert any(finding.cause == case.verdict for finding in report.severe)
