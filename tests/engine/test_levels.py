"""Every CPU level that is built and runs here: the same training, equal to rounding."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import level_run
from fastnn import _native

LEVELS = [name for name in _native.levels_built if name in _native.levels_supported]

# Rounding of 21 steps, relative to the largest number of a tensor.
TOLERANCE = {"float32": 2e-4, "float64": 1e-11}


def _run(level, dtype, path):
    environment = {**os.environ, "FASTNN_CPU": level}
    command = [sys.executable, level_run.__file__, dtype, str(path)]
    subprocess.run(command, check=True, env=environment, timeout=60)
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_training(level, dtype, tmp_path: Path):
    """In another process, on this level: a row predicts the same alone, and ours."""
    there = _run(level, dtype, tmp_path / "run.npz")
    here = level_run.run(dtype)
    np.testing.assert_array_equal(there["together"], there["alone"])
    assert set(there) == set(here)
    for name, wanted in here.items():
        if level == _native.level:  # the same bits in every process
            np.testing.assert_array_equal(there[name], wanted, err_msg=name)
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(
            there[name], wanted, rtol=0, atol=TOLERANCE[dtype] * scale, err_msg=name
        )


def test_the_level_in_use_is_among_them():
    assert _native.level in LEVELS
