"""The table of levels against the compiler: no feature may be used unasked."""

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fastnn._native import _cpu

TABLE = Path(__file__).parents[2] / "cpp" / "cmake" / "isa.cmake"

# Macros that do not simply spell the feature's name.
SPELLED_OTHERWISE = {
    "GCC_HAVE_SYNC_COMPARE_AND_SWAP_16": "cmpxchg16b",
    "LAHF_SAHF": "lahf_lm",
    "CRC32": "sse4.2",
    "SSE4_1": "sse4.1",
    "SSE4_2": "sse4.2",
    "XSAVE": "osxsave",
    "EVEX256": "avx512vl",
    "EVEX512": "avx512f",
}

# Macros that follow from a feature or from the flag's name, and are none themselves.
CONSEQUENCES = ("FP_FAST_FMA", "tune_", "k8")

COMPILED_LEVELS = [level for level in _cpu.levels() if level != "generic"]


def flags_of(level):
    found = re.search(rf"FASTNN_ISA_{level}_FLAGS ([^)]*)\)", TABLE.read_text())
    return found.group(1).split()


def compiler_macros(flags):
    """Names of the macros that the compiler sets to 1 under `flags`."""
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    text = subprocess.run(
        [compiler, *flags, "-dM", "-E", "-x", "c++", "/dev/null"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return set(re.findall(r"^#define __(\w+?)(?:__)? 1$", text, re.MULTILINE))


def features_used(level):
    """Features that the compiler uses at `level` and not on the plainest processor."""
    macros = compiler_macros(flags_of(level)) - compiler_macros(["-march=x86-64"])
    macros = {name for name in macros if not name.startswith(CONSEQUENCES)}
    return {SPELLED_OTHERWISE.get(name, name.lower()) for name in macros}


@pytest.mark.parametrize("level", COMPILED_LEVELS)
def test_the_detector_asks_for_every_feature_the_compiler_uses(level):
    assert features_used(level) == set(_cpu.required_features(level))


def test_each_level_needs_all_that_the_next_one_needs():
    levels = _cpu.levels()
    for better, poorer in itertools.pairwise(levels):
        better_needs = set(_cpu.required_features(better))
        assert better_needs > set(_cpu.required_features(poorer))
