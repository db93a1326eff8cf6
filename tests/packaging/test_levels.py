"""The choice of the CPU level: the best, or what FASTNN_CPU forces, or a loud error."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fastnn import _native
from fastnn._native import _cpu

PRINT_LEVEL = "from fastnn._native import core, level; print(level, core.__name__)"


def run_python(code, *, level=None, path=None):
    """Run `code` in a fresh interpreter, with FASTNN_CPU=`level`."""
    environment = {k: v for k, v in os.environ.items() if k != "FASTNN_CPU"}
    if level is not None:
        environment["FASTNN_CPU"] = level
    flags = []
    if path:
        # -S switches off the finder of editable installs, which would come first.
        flags = ["-S"]
        site_packages = str(Path(np.__file__).parents[1])
        environment["PYTHONPATH"] = os.pathsep.join([str(path), site_packages])
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        env=environment,
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )


def usable_levels():
    return [name for name in _native.levels_built if name in _native.levels_supported]


@pytest.fixture
def installation(tmp_path):
    """A copy of fastnn._native that holds the detector, but no core module yet."""
    native = tmp_path / "fastnn" / "_native"
    native.mkdir(parents=True)
    (tmp_path / "fastnn" / "__init__.py").touch()
    shutil.copy(_native.__file__, native)
    shutil.copy(_cpu.__file__, native)
    return native


def core_file(level):
    """The compiled module of a level that this installation holds."""
    return next(Path(_cpu.__file__).parent.glob(f"_core_{level}.*"))


def test_the_best_usable_level_is_the_default():
    run = run_python(PRINT_LEVEL)
    best = usable_levels()[0]
    assert run.stdout.split() == [best, f"fastnn._native._core_{best}"], run.stderr


@pytest.mark.parametrize("level", usable_levels())
def test_every_usable_level_can_be_forced(level):
    run = run_python(PRINT_LEVEL, level=level)
    assert run.stdout.split() == [level, f"fastnn._native._core_{level}"], run.stderr


def test_the_core_says_for_which_level_it_was_compiled():
    assert _native.core.level == _native.level


def test_one_module_goes_by_every_name():
    from fastnn._native import _core

    assert _core is _native.core is sys.modules["fastnn._native._core"]


def test_an_unknown_level_is_refused():
    run = run_python(PRINT_LEVEL, level="v9")
    assert run.returncode == 1
    assert "ImportError: FASTNN_CPU='v9' is not a CPU level; expected one of" in (
        run.stderr
    )
    assert f"usable here: {', '.join(usable_levels())}" in run.stderr


def test_a_level_that_was_not_built_is_refused(installation):
    best = usable_levels()[0]
    run = run_python(PRINT_LEVEL, level=best, path=installation.parent.parent)
    assert run.returncode == 1
    assert f"FASTNN_CPU='{best}'" in run.stderr
    assert "was built without that level (usable here: none)" in run.stderr
    assert "FASTNN_LEVELS=all" in run.stderr


def test_an_installation_without_any_level_says_so(installation):
    run = run_python(PRINT_LEVEL, path=installation.parent.parent)
    assert run.returncode == 1
    assert "ImportError: fastnn was built for the CPU levels []" in run.stderr


def test_a_level_alone_in_its_installation_is_found(installation):
    level = usable_levels()[-1]
    shutil.copy(core_file(level), installation)
    code = "from fastnn import _native; print(_native.levels_built, _native.level)"
    run = run_python(code, path=installation.parent.parent)
    assert run.stdout.strip() == f"('{level}',) {level}", run.stderr


def test_a_broken_module_is_loud(installation):
    best = usable_levels()[0]
    (installation / core_file(best).name).write_bytes(b"no module at all")
    run = run_python(PRINT_LEVEL, path=installation.parent.parent)
    assert run.returncode == 1
    assert "ImportError" in run.stderr
    assert f"_core_{best}" in run.stderr
    assert "was built" not in run.stderr


def test_a_level_the_processor_lacks_is_refused(monkeypatch):
    level = _native.levels_built[0]
    poor = SimpleNamespace(
        levels=_cpu.levels, missing_features=lambda _: ["avx512f", "avx512vl"]
    )
    monkeypatch.setattr(_native, "_cpu", poor)
    monkeypatch.setattr(_native, "levels_supported", ())
    with pytest.raises(ImportError, match=r"lacks avx512f, avx512vl, which that level"):
        _native._choose(level)
    with pytest.raises(ImportError, match="this processor runs none"):
        _native._choose(None)


def test_the_next_level_serves_a_poorer_processor(monkeypatch):
    monkeypatch.setattr(_native, "levels_built", ("v4", "v3", "v2"))
    monkeypatch.setattr(_native, "levels_supported", ("v3", "v2"))
    assert _native._choose(None) == "v3"


def test_the_detector_knows_its_levels_only():
    with pytest.raises(ValueError, match="level: got 'v9'"):
        _cpu.missing_features("v9")
    with pytest.raises(ValueError, match="level: got ''"):
        _cpu.required_features("")


def test_a_level_is_supported_when_no_required_feature_is_missing():
    for level in _cpu.levels():
        missing = set(_cpu.missing_features(level))
        assert missing <= set(_cpu.required_features(level))
        assert (level in _native.levels_supported) == (not missing)
