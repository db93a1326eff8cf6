"""The bits of a result do not depend on the number of threads."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from fastnn import kernels
from sanitized import usual_memory

SHAPES = [(700, 37), (257, 130), (3, 5000), (4096, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_same_bits_for_any_number_of_threads(case, dtype, tuple_of, shape):
    arguments = case.arguments(*shape, dtype)
    expected = tuple_of(case.run(*arguments, n_threads=1))
    for n in (2, 3, 8, None):
        actual = tuple_of(case.run(*arguments, n_threads=n))
        for a, e in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("units", [1, 10, 16, 17, 300])
def test_dense_layers_of_any_width(units, dtype):
    generator = np.random.default_rng(units)
    x, w = generator.standard_normal((520, 90)), generator.standard_normal((units, 90))
    x, w, b = x.astype(dtype), w.astype(dtype), w[:, 0].astype(dtype)
    y = kernels.dense_forward(x, w, b, "tanh", n_threads=1)
    gradients = kernels.dense_backward(y, x, w, y, "tanh", n_threads=1)
    for n in (2, 3, 8):
        other = kernels.dense_forward(x, w, b, "tanh", n_threads=n)
        np.testing.assert_array_equal(other, y)
        others = kernels.dense_backward(y, x, w, y, "tanh", n_threads=n)
        for a, e in zip(others, gradients, strict=True):
            np.testing.assert_array_equal(a, e)


def test_kernels_run_beside_each_other(case):
    """Calls from several Python threads share nothing."""
    inputs = [case.arguments(300, 40, np.float32, seed) for seed in range(4)]
    expected = [case.run(*arguments) for arguments in inputs]
    results = [None] * 4

    def work(i):
        for _ in range(5):
            results[i] = case.run(*inputs[i], n_threads=2)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for actual, exact in zip(results, expected, strict=True):
        np.testing.assert_equal(actual, exact)


def test_the_gil_is_free_while_a_kernel_runs():
    """Another thread gets on although nothing makes this one hand the GIL over."""
    x = np.ones((1000, 1000), np.float32)
    y = np.empty_like(x)
    state = {"count": 0, "stop": False}

    def count():
        while not state["stop"]:
            state["count"] += 1
            time.sleep(0)  # hands the GIL over

    counter = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    counter.start()
    try:
        time.sleep(0.01)
        before = state["count"]
        gained, products = 0, 0
        while gained == 0 and products < 20:
            kernels.dense_forward(x, x, out=y, n_threads=1)
            gained, products = state["count"] - before, products + 1
    finally:
        state["stop"] = True
        sys.setswitchinterval(interval)
        counter.join()
    assert gained > 0


# Memory for the threads, but not for what they need: the blocks of a product.
_SCARCE = """
import re, resource, sys
import numpy as np
from fastnn import kernels

x = np.ones((2048, 2048), np.float32)
out = np.empty_like(x)
if sys.platform == "linux":  # elsewhere no limit on addresses holds
    status = open("/proc/self/status").read()
    taken = int(re.search(r"VmSize:\\s+(\\d+)", status)[1]) << 10
    limit = taken + (int(sys.argv[1]) << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    kernels.dense_forward(x, x, None, out=out, n_threads=2)
except MemoryError:
    print("MemoryError")
"""


@usual_memory
def test_want_of_memory_in_a_thread_is_an_error_not_a_crash():
    outcomes = []
    for megabytes in (2, 6, 10, 14, 18, 24):
        done = subprocess.run(
            [sys.executable, "-c", _SCARCE, str(megabytes)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (megabytes, done.stderr)
        outcomes.append(done.stdout.strip())
    assert "MemoryError" in outcomes or sys.platform != "linux"
