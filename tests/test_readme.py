"""The README keeps its word: its Python runs, its commands are the agreed ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text("utf-8")
BLOCKS = re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", TEXT)
PYTHON = [code for language, code in BLOCKS if language == "python"]


def test_the_first_commands_run_the_demo_and_the_tests():
    assert BLOCKS[:2] == [
        ("bash", 'pip install ".[demo]" && python -m fastnn demo\n'),
        ("bash", 'pip install -e ".[test]" && pytest\n'),
    ]


def test_there_is_an_example():
    assert PYTHON


@pytest.mark.parametrize("code", PYTHON)
def test_an_example_runs_as_printed(code, tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT))
def test_a_link_leads_to_a_file(target):
    assert (README.parent / target).exists()
