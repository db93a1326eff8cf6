"""Each example runs, in its quick form, and writes nothing beside its output."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def _only_the_residual_net_trains(output):
    """Of 56 layers: the plain network stays near log 10, what guessing costs."""
    rows = [line.split("|")[2:4] for line in output.splitlines() if line[:1] == "|"]
    loss = {kind.strip(): float(numbers.split()[0]) for kind, numbers in rows}
    assert loss["plain"] > 1.5
    assert loss["residual"] < 0.7


# What an example says, seen in what its quick form prints.
CLAIMS = {"residual_depth": _only_the_residual_net_trains}


@pytest.mark.thorough
@pytest.mark.parametrize("script", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_runs_quickly(script, tmp_path):
    # Other people's packages may warn of each other in a process of its own.
    run = subprocess.run(
        [sys.executable, str(script), "--quick"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    if script.stem in CLAIMS:
        CLAIMS[script.stem](run.stdout)
    assert list(tmp_path.iterdir()) == []


def test_there_are_examples():
    assert EXAMPLES
