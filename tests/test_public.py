"""The package from outside: names, import cost, configuration."""

import ast
import importlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn as fnn


def test_every_public_name_exists():
    for name in fnn.__all__:
        assert getattr(fnn, name) is not None
    shown = {name for name in dir(fnn) if not name.startswith("__")}
    assert shown | {"__version__"} == set(fnn.__all__)  # nothing else to complete to
    assert "__version__" in dir(fnn)
    assert len(fnn.__all__) == len(set(fnn.__all__))


def test_type_checkers_see_the_same_names():
    stub = ast.parse(Path(fnn.__file__).with_suffix(".pyi").read_text())
    seen = {"__version__": "fastnn"}
    for statement in stub.body:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                assert alias.asname == alias.name, "else not re-exported"
                seen[alias.name] = statement.module
    assert sorted(seen) == sorted(fnn.__all__)
    for name, home in seen.items():
        if home != "fastnn":
            assert getattr(importlib.import_module(home), name) is getattr(fnn, name)


def test_unknown_names():
    with pytest.raises(AttributeError, match="'fastnn' has no attribute 'Conv2d'"):
        fnn.Conv2d  # noqa: B018


def test_version():
    assert fnn.__version__ == importlib.metadata.version("fastnn")


def test_show_config(capsys):
    config = fnn.show_config()
    printed = capsys.readouterr().out
    assert config["version"] == fnn.__version__
    assert config["cpu_level"] in config["levels_built"]
    assert config["cpu_level"] in config["levels_supported"]
    assert config["threads"] >= 1
    assert config["eigen"].count(".") == 2
    for key, value in config.items():
        assert key == "version" or key in printed
        if isinstance(value, str):
            assert value in printed


def test_set_num_threads():
    automatic = fnn.show_config()["threads"]
    try:
        fnn.set_num_threads(3)
        assert fnn.show_config()["threads"] == 3
    finally:
        fnn.set_num_threads(None)
    assert fnn.show_config()["threads"] == automatic


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), ("2", TypeError)])
def test_set_num_threads_refuses(value, error):
    with pytest.raises(error, match="n_threads must be"):
        fnn.set_num_threads(value)


def test_import_brings_no_optional_package():
    code = (
        "import sys, fastnn; heavy = {'matplotlib', 'tqdm', 'sklearn', 'pandas', "
        "'scipy', 'mlxtend', 'torch', 'safetensors'}; print(heavy & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "set()"


def test_import_is_quick(tmp_path):
    """Less than 100 ms of processor time over NumPy's own; the best of some runs.

    With compiled bytecode at hand, as pip leaves it: the first run writes it.
    """
    code = (
        "import time, numpy; t = time.process_time(); import fastnn; "
        "print(time.process_time() - t)"
    )
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    seconds = [
        float(subprocess.check_output([sys.executable, "-c", code], env=env))
        for _ in range(4)
    ]
    assert min(seconds) < 0.1
