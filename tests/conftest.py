"""What all tests share: settings of Hypothesis, one generator, the report header."""

import os
import signal

# Before anything imports matplotlib: tests draw to files, never to a screen.
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import numpy as np
import pytest

from fastnn import _native

THOROUGH = os.environ.get("FASTNN_THOROUGH") == "1"

# In CI the same examples in every run: a failure there is a failure at home.
hypothesis.settings.register_profile(
    "fastnn",
    deadline=None,
    max_examples=100 if THOROUGH else 30,
    derandomize=bool(os.environ.get("CI")),
)
hypothesis.settings.load_profile("fastnn")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what takes minutes together, unless FASTNN_THOROUGH=1: CI sets it."""
    if THOROUGH:
        return
    long = [item for item in items if item.get_closest_marker("thorough")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_report_header() -> str:
    built = ", ".join(_native.levels_built)
    return f"fastnn {_native.core.__version__}, CPU level {_native.level} of {built}"


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts anew, from the same seed, for every test."""
    return np.random.default_rng(20240229)


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_is_heard():
    """Shells start what runs in the background with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
