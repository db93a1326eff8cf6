"""Fixtures for the tests of the build."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool():
    """Load a script of tools/ as a module: ``tool("check_ladder")``."""

    def load(name):
        spec = importlib.util.spec_from_file_location(
            name, ROOT / "tools" / f"{name}.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
