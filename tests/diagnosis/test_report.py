"""What a report shows: text, pictures, a page."""

import re

import pytest

import fastnn as fnn
from fastnn.diagnosis.report import Finding, Report


@pytest.fixture(scope="module")
def report():
    pytest.importorskip("sklearn")
    from diagnosis.cases import CASES

    case = next(c for c in CASES if c.make.__name__ == "wine_dead")
    return case.diagnose()


def healthy():
    return Report("healthy", [], {}, 1.5, ("data",))


def test_text(report):
    text = str(report)
    assert max(map(len, text.splitlines())) <= 110
    assert "optimization: the network could fit the data" in text
    for finding in report.findings:
        assert f"[{finding.severity}] {finding.title} ({finding.code})" in text
        assert finding.advice.split()[0] in text
    severities = [f.severity for f in report.findings]
    assert severities == sorted(severities, key=("severe", "warning", "info").index)


def test_the_lines_that_matter(report):
    lines = report.summary().splitlines()
    assert 2 <= len(lines) <= 3
    assert lines[0].startswith("optimization")
    assert healthy().summary() == ""


def test_findings_by_code(report):
    assert report.codes[0] in report
    assert report[report.codes[0]] is report.findings[0]
    assert "nonsense" not in report
    with pytest.raises(KeyError):
        report["nonsense"]
    assert all(isinstance(finding, fnn.Finding) for finding in report.findings)
    assert repr(report).startswith("Report(verdict='optimization', findings=[")


def test_evidence_is_numbers_and_advice_words(report):
    for finding in report.findings:
        assert finding.evidence
        assert len(finding.advice) > 10
        assert finding.cause in (None, "optimization", "data")


def test_plot(report, tmp_path):
    pytest.importorskip("matplotlib")
    figure = report.plot()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "your training" in titles
    assert "gradient by depth" in titles
    assert "one thing changed" in titles
    assert "batch size" in titles
    changed = figure.axes[titles.index("one thing changed")]
    assert changed.get_xscale() == "log"  # all shares are above 0
    figure.savefig(tmp_path / "report.png")
    assert not healthy().plot().axes


def test_changes_that_leave_no_loss_have_a_linear_scale():
    pytest.importorskip("matplotlib")
    changes = {
        "your training": {"training": 0.5, "held_out_at_best": 0.6},
        "wider": {"training": 0.0, "held_out_at_best": 0.1},
    }
    figure = Report("healthy", [], {"alternatives": changes}, 1.0, ()).plot()
    assert figure.axes[0].get_xscale() == "linear"


def test_page_needs_nothing_else(report, tmp_path):
    path = tmp_path / "report.html"
    report.to_html(path)
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert not re.search(r"(src|href)=[\"']?https?:", page)
    assert "<script" not in page
    for finding in report.findings:
        assert finding.code in page
    assert "@media print" in page
    with pytest.raises(OSError, match="nowhere"):
        report.to_html(tmp_path / "nowhere" / "report.html")


def test_page_escapes_what_it_shows():
    finding = Finding("code", "info", "<b>&", {"<i>": "<u>"}, "<s>", None)
    page = Report("healthy", [finding], {}, 1.0, ("data",))._repr_html_()
    for tag in ("<b>", "<i>", "<u>", "<s>"):
        assert tag not in page


def test_a_report_ended_early_says_so():
    early = Report("healthy", [], {}, 1.5, ("data",), complete=False)
    assert "ended early" in str(early)
    assert "ended early" in early._repr_html_()
