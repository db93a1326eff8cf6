"""Is this run under a sanitizer? Then a few things about memory and time are others."""

import os

import pytest

SANITIZED = any(
    library in os.environ.get("LD_PRELOAD", "") for library in ("libasan", "libtsan")
)

# `new` is the sanitizer's then, and goes past the core's counter of allocations.
counts_new = pytest.mark.skipif(SANITIZED, reason="`new` is the sanitizer's")
_TSAN = "libtsan" in os.environ.get("LD_PRELOAD", "")
# Threads started after a fork beside other threads are beyond the thread sanitizer.
children_train = pytest.mark.skipif(_TSAN, reason="not after a fork")
# A user's thread that writes what the engine reads is the race that is tested.
races = pytest.mark.skipif(_TSAN, reason="a race on purpose")
# Its own frames and checks take more stack.
usual_stack = pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more stack")
# Its shadow of the memory is many times as large, and it ends where it gets none.
usual_memory = pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more memory")
# A step takes many times longer than the test waits.
usual_speed = pytest.mark.skipif(SANITIZED, reason="a sanitizer takes its time")
