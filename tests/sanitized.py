"""Is this run under a sanitizer? Then a few things about memory and time are others."""

import os

import pytest

SANITIZED = any(
    library in os.environ.get("LD_PRELOAD", "") for library in ("libasan", "libtsan")
)

# `new` is the sanitizer's then, and goes past the core's counter of allocations.
counts_new = pytest.mark.skipif(SANITIZED, reason="`new` is the sanitizer's")
# Its own frames and checks take more stack.
usual_stack = pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more stack")
# Code runs many times slower.
usual_speed = pytest.mark.skipif(SANITIZED, reason="a sanitizer takes its time")
