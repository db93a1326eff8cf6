"""What an installation carries: one version, its licences, no surprises at import."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

from fastnn import _native

ROOT = Path(__file__).parents[2]


def test_metadata_core_and_changelog_agree_on_the_version():
    version = importlib.metadata.version("fastnn")
    assert _native.core.__version__ == version
    headings = re.findall(
        r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert version in headings


def test_the_core_was_compiled_with_the_measured_eigen():
    assert _native.core.eigen_version == "5.0.1"


def test_licences_travel_with_the_package():
    files = importlib.metadata.files("fastnn")
    licences = {path.name: path for path in files if "licenses" in path.parts}
    assert {"LICENSE", "NOTICE", "COPYING.MPL2"} <= set(licences)
    assert "Mozilla Public License" in licences["COPYING.MPL2"].read_text()


def test_importing_fastnn_does_not_import_the_extras():
    heavy = ["sklearn", "matplotlib", "mlxtend", "torch", "onnx", "mpi4py", "eigency"]
    heavy += ["narwhals", "pandas", "polars", "scipy"]
    code = f"import sys, fastnn; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "[]"
