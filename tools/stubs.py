"""Generate the type stubs of the compiled modules, or check that they are current.

``python tools/stubs.py`` writes ``_core.pyi`` and ``_cpu.pyi`` beside
``python/fastnn/_native/__init__.py``; ``--check`` compares and writes nothing. It needs
fastnn installed, pybind11-stubgen and ruff (the extra ``dev``).
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fastnn import _native

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "python" / "fastnn" / "_native"

# Constants differ by level and version, their types do not.
_CONSTANT = re.compile(r"^(\w+): (str|int|float|bool) = .*$", re.MULTILINE)


def generate(module: str) -> str:
    """Return the stub of one compiled module of ``fastnn._native``."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *(sys.executable, "-m", "pybind11_stubgen", "--exit-code"),
                *("--output-dir", folder, f"fastnn._native.{module}"),
            ],
            check=True,
            capture_output=True,
        )
        text = (Path(folder) / "fastnn" / "_native" / f"{module}.pyi").read_text()
    level_free = text.replace(f"_core_{_native.level}", "_core")
    return _formatted(_CONSTANT.sub(r"\1: \2", level_free))


def _formatted(text: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "stub.pyi", "-"],
        input=text,
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout


def main(*, check: bool) -> int:
    """Write the stubs, or print how they differ; 1 if `check` finds a difference."""
    outdated = 0
    for module, name in ((f"_core_{_native.level}", "_core.pyi"), ("_cpu", "_cpu.pyi")):
        path = STUBS / name
        fresh = generate(module)
        stored = path.read_text() if path.exists() else ""
        if fresh == stored:
            continue
        if not check:
            path.write_text(fresh)
            continue
        outdated += 1
        lines = difflib.unified_diff(
            stored.splitlines(), fresh.splitlines(), f"stored {name}", f"fresh {name}"
        )
        print("\n".join(lines))
    if check:
        print(f"stubs: {outdated} outdated" + (", run tools/stubs.py" * bool(outdated)))
    return 1 if outdated else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    sys.exit(main(check=parser.parse_args().check))
