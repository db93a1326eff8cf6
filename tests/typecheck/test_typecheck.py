"""Type checkers see the whole public API: mypy --strict on a user's script."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn as fnn

SCRIPT = Path(__file__).with_name("user_script.py")
PACKAGE = Path(fnn.__file__).parents[1]


def run(*command, cwd):
    """Run Python as a user would, away from the settings of this project."""
    env = {**os.environ}
    if PACKAGE.name != "site-packages":  # an editable install is found by imports alone
        env["MYPYPATH"] = str(PACKAGE)
    return subprocess.run(
        [sys.executable, *command],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
    )


def test_mypy_strict_finds_no_fault(tmp_path, request):
    pytest.importorskip("mypy")
    kept = getattr(request.config, "cache", None)  # none with -p no:cacheprovider
    cache = kept.mkdir("mypy") if kept else tmp_path  # NumPy's types take some seconds
    found = run(
        *("-m", "mypy", "--strict", "--follow-imports=silent"),
        *("--cache-dir", cache, SCRIPT),
        cwd=tmp_path,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_script_runs(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("typing_extensions")
    pytest.importorskip("sklearn")
    done = run("-W", "error", SCRIPT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def names_used(module):
    """Return the attributes of `module` in the script."""
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == module
    }


def test_the_script_touches_every_public_name():
    imported = {"augment", "kernels", "reference"}
    assert set(fnn.__all__) <= names_used("fnn") | imported
    assert set(fnn.kernels.__all__) <= names_used("kernels")
