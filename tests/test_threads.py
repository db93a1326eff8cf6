"""How many threads there are, who decides it, and whether threadpoolctl is heard."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnn as fnn

threadpoolctl = pytest.importorskip("threadpoolctl")

TASKS = Path("/proc/self/task")


@pytest.fixture(autouse=True)
def automatic(monkeypatch):
    """Three threads by the environment, as if by the machine; nothing set by a test."""
    monkeypatch.setenv("FASTNN_NUM_THREADS", "3")
    yield
    fnn.set_num_threads(None)


def threads():
    config = fnn.show_config()
    return config["threads"], config["threads_from"]


def ours():
    found = [i for i in threadpoolctl.threadpool_info() if i["user_api"] == "fastnn"]
    assert len(found) == 1
    return found[0]


def n_tasks():
    """Count the threads of this process."""
    return len(list(TASKS.iterdir()))


def threads_during_a_fit():
    """Return how many threads work on a fit, as its callback counts them."""
    counts = []

    def count(_):
        counts.append(n_tasks())

    before = n_tasks()
    X = np.zeros((2048, 64), "f4")
    net = fnn.Sequential(fnn.Dense(256, "relu"), fnn.Dense(256), seed=1)
    net.fit(X, X[:, :1] + np.zeros(256), loss="mse", epochs=2, callbacks=[count])
    assert n_tasks() == before
    return {n - before + 1 for n in counts}


WHO = [
    ({"FASTNN_NUM_THREADS": "2", "OMP_NUM_THREADS": "5"}, 2, "FASTNN_NUM_THREADS"),
    ({"FASTNN_NUM_THREADS": "", "OMP_NUM_THREADS": "5"}, 5, "OMP_NUM_THREADS"),
    ({"FASTNN_NUM_THREADS": "0", "OMP_NUM_THREADS": " +05x"}, 5, "OMP_NUM_THREADS"),
    ({"FASTNN_NUM_THREADS": "-3", "OMP_NUM_THREADS": "two"}, None, "processors"),
]


@pytest.mark.parametrize(("environment", "number", "source"), WHO)
def test_who_decides(monkeypatch, environment, number, source):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found, found_source = threads()
    assert found_source.startswith(source)
    assert found == number or (number is None and 1 <= found <= os.cpu_count())
    fnn.set_num_threads(7)
    assert threads() == (7, "set_num_threads")
    with threadpoolctl.threadpool_limits(4):
        assert threads() == (4, "threadpoolctl")
    assert threads() == (7, "set_num_threads")


def test_threadpoolctl_lists_fastnn():
    info = ours()
    config = fnn.show_config()
    assert info["internal_api"] == "fastnn"
    assert info["num_threads"] == 3
    assert info["version"] == fnn.__version__
    assert info["architecture"] == config["cpu_level"]
    assert Path(info["filepath"]).name.startswith(info["prefix"])


def test_a_limit_ends_with_its_block_and_nests(monkeypatch):
    with threadpoolctl.threadpool_limits(1):
        assert ours()["num_threads"] == 1
        with threadpoolctl.threadpool_limits(2):
            assert threads() == (2, "threadpoolctl")
        assert threads() == (1, "threadpoolctl")
        with threadpoolctl.threadpool_limits({"fastnn": 3}):
            assert ours()["num_threads"] == 3
        assert threads() == (1, "threadpoolctl")
    assert threads() == (3, "FASTNN_NUM_THREADS")
    monkeypatch.setenv("FASTNN_NUM_THREADS", "2")
    assert threads() == (2, "FASTNN_NUM_THREADS"), "the environment decides again"


def test_limits_of_others_leave_fastnn_alone():
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        assert ours()["num_threads"] == 3
    with threadpoolctl.threadpool_limits(1, user_api="fastnn"):
        assert ours()["num_threads"] == 1


def test_set_num_threads_inside_a_limit_counts_until_the_block_ends():
    with threadpoolctl.threadpool_limits(1):
        fnn.set_num_threads(2)
        assert threads() == (2, "set_num_threads")
    assert ours()["num_threads"] == 3


@pytest.mark.parametrize(("limit", "number"), [(0, 1), (-1, 1), (10**6, 1024)])
def test_odd_limits_become_the_nearest_number(limit, number):
    with threadpoolctl.threadpool_limits({"fastnn": limit}):
        assert ours()["num_threads"] == number


@pytest.mark.skipif(not TASKS.is_dir(), reason="counts in /proc")
def test_a_limit_holds_for_the_threads_that_really_run():
    assert threads_during_a_fit() == {3}
    with threadpoolctl.threadpool_limits(1):
        assert threads_during_a_fit() == {1}
    with threadpoolctl.threadpool_limits(2):
        assert threads_during_a_fit() == {2}
    assert threads_during_a_fit() == {3}


@pytest.mark.parametrize("first", ["fastnn", "threadpoolctl"])
def test_either_may_be_imported_first(first):
    second = {"fastnn": "threadpoolctl", "threadpoolctl": "fastnn"}[first]
    code = (
        f"import {first}, {second}, json\n"
        "info = [i for i in threadpoolctl.threadpool_info() if i['user_api'] == "
        "'fastnn']\n"
        "with threadpoolctl.threadpool_limits(1):\n"
        "    inside = fastnn._threads.num_threads()\n"
        "print(json.dumps([len(info), inside]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert json.loads(run.stdout) == [1, 1]


def test_fastnn_needs_no_threadpoolctl():
    code = (
        "import sys; sys.modules['threadpoolctl'] = None\n"
        "import fastnn; fastnn.set_num_threads(2)\n"
        "print(fastnn._threads.num_threads())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "2"
