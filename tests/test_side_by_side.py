"""Jobs on the threads: order, bits, errors, and Ctrl-C that ends them all."""

import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastnn as fnn
from fastnn._side_by_side import derived_seed, side_by_side
from sanitized import usual_speed


@pytest.mark.parametrize("n_threads", [1, 2, 3, 16])
def test_results_come_in_order(n_threads):
    def job(i):
        def run(threads):
            time.sleep(0.002 * (5 - i))
            return i, threads

        return run

    seen = []
    results = side_by_side(
        [job(i) for i in range(5)], unit="job", n_threads=n_threads, on_done=seen.append
    )
    assert results == [(i, 1) for i in range(5)]
    assert sorted(seen) == results


def test_a_job_that_is_alone_gets_all_threads():
    assert side_by_side([lambda threads: threads], unit="job", n_threads=3) == [3]
    assert side_by_side([lambda threads: threads], unit="job") == [None]
    assert side_by_side([], unit="job") == []


def test_no_more_at_a_time_than_threads():
    running, most, lock = 0, 0, threading.Lock()

    def job(_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    side_by_side([job] * 8, unit="job", n_threads=3)
    assert most == 3
    most = 0
    fnn.set_num_threads(2)
    try:
        side_by_side([job] * 8, unit="job")
    finally:
        fnn.set_num_threads(None)
    assert most == 2


def _net():
    return fnn.Sequential(fnn.Dense(64, "relu"), fnn.Dense(3)).build(20)


def _data(rng, rows=500):
    X = rng.normal(size=(rows, 20)).astype("f4")
    return X, np.argmax(X[:, :3], axis=1)


@usual_speed
@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_error_of_a_job_names_it_and_ends_the_others(rng, n_threads):
    """What would train for hours is over at once."""
    data = _data(rng)

    def good(_):
        _net().fit(*data, epochs=10**9)

    def bad(_):
        time.sleep(0.05)
        raise ValueError("no good")

    jobs = [good, bad, good] if n_threads == 2 else [bad, good]
    start = time.perf_counter()
    with pytest.raises(ValueError, match=f"^fold {n_threads - 1}: no good$"):
        side_by_side(jobs, unit="fold", n_threads=n_threads)
    assert time.perf_counter() - start < 2


def test_of_several_errors_the_first_jobs_counts():
    barrier = threading.Barrier(2)

    def bad(text):
        def run(_):
            barrier.wait(timeout=10)
            raise ValueError(text)

        return run

    with pytest.raises(ValueError, match=r"^job 0: a$"):
        side_by_side([bad("a"), bad("b")], unit="job", n_threads=2)


class _OddError(Exception):
    """Whose arguments are its own business."""


@pytest.mark.parametrize("n_threads", [1, 2])
def test_errors_of_others_keep_their_arguments(n_threads):
    error = _OddError("text", 3)

    def bad(_):
        raise error

    with pytest.raises(_OddError) as caught:
        side_by_side([bad, bad], unit="member", n_threads=n_threads)
    assert caught.value is error
    assert error.args == ("text", 3)
    if sys.version_info >= (3, 11):
        assert "in member 0" in error.__notes__


def test_an_error_of_whoever_watches_ends_all(rng):
    data = _data(rng)

    def watch(_):
        raise KeyError("progress")

    jobs = [lambda _: 1, lambda _: _net().fit(*data, epochs=10**9)]
    with pytest.raises(KeyError, match="progress"):
        side_by_side(jobs, unit="job", n_threads=2, on_done=watch)


def test_afterwards_threads_heed_nothing(rng):
    """A flag that was set ends no later fit, here or on a new thread."""
    data = _data(rng, 50)
    with pytest.raises(ZeroDivisionError):
        side_by_side([lambda _: 1 / 0] * 3, unit="job", n_threads=2)
    _net().fit(*data, epochs=2)
    fits = [lambda n: len(_net().fit(*data, epochs=2, n_threads=n).epoch)] * 3
    assert side_by_side(fits, unit="job", n_threads=2) == [2, 2, 2]


def test_derived_seeds_have_nothing_in_common():
    seeds = [derived_seed(s, i) for s in (0, 1, 2, 2**64 - 1) for i in range(20)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert derived_seed(0, 0) == 8668861027912758289, "models of users depend on it"


CTRL_C = """
import json, os, signal, threading, time
import numpy as np
import fastnn as fnn

signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
X = rng.normal(size=(5000, 100)).astype("f4")
y = rng.integers(0, 3, len(X))
net = fnn.Sequential(fnn.Dense(256, "relu"), fnn.BatchNorm(), fnn.Dense(3)).build(100)
ensemble = fnn.Ensemble(net, 6)
ensemble.fit(X[:50], y[:50], epochs=1)
snapshots = fnn.SnapshotEnsemble(net, 2)
before = [m.state_dict() for m in (net, *ensemble.members)]
progress = net._native.progress
calls = {
    "ensemble": lambda: ensemble.fit(X, y, epochs=10**6, n_threads=THREADS),
    "snapshots": lambda: snapshots.fit(X, y, epochs=10**6),
    "cross_validate": lambda: fnn.cross_validate(
        net, X, y, epochs=10**6, n_threads=THREADS
    ),
    "lr_find": lambda: fnn.lr_find(net, X, y, steps=10**6, batch_size=5000),
}
sent = []

def send():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

threading.Timer(0.25, send).start()
try:
    calls["NAME"]()
    took = None
except KeyboardInterrupt:
    took = time.perf_counter() - sent[0]
after = [m.state_dict() for m in (net, *ensemble.members)]
same = all(
    a[name].tobytes() == b[name].tobytes()
    for a, b in zip(before, after, strict=True) for name in a
)
time.sleep(0.05)
left = [t.name for t in threading.enumerate() if "fastnn" in t.name]
again = ensemble.fit(X[:50], y[:50], epochs=1, n_threads=2)
print(json.dumps({
    "took": took, "same": same and net._native.progress == progress, "left": left,
    "again": len(again), "snapshots": len(snapshots.members),
}))
"""


@usual_speed
@pytest.mark.parametrize(
    ("name", "n_threads"),
    [
        ("ensemble", 1),
        ("ensemble", 2),
        ("cross_validate", 2),
        ("snapshots", 1),
        ("lr_find", 1),
    ],
)
def test_ctrl_c_ends_all_and_changes_nothing(name, n_threads):
    code = CTRL_C.replace("NAME", name).replace("THREADS", str(n_threads))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["took"] is not None, "it ended before"
    assert report["took"] < 0.5
    del report["took"]
    assert report == {"same": True, "left": [], "again": 6, "snapshots": 0}
