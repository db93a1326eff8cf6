"""Forks and worker processes, small stacks, and the end of the process."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from robustness import work
from sanitized import children_train, usual_stack

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# Python warns of any fork beside threads; that it works is what is tested.
forks = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@forks
def test_a_pool_of_processes_after_a_threaded_fit(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    wanted = work.trained_bytes()
    net = work.network()
    net.fit(*work.DATA, epochs=1, n_threads=2)
    further = work.trained_further(net.copy())
    with multiprocessing.get_context(method).Pool(2) as pool:
        fresh = pool.map_async(work.trained_bytes, [0, 1, 0])
        sent = pool.map_async(work.trained_further, [net, net])
        first, other, again = fresh.get(timeout=60)
        assert sent.get(timeout=60) == [further] * 2
    assert first == again == wanted != other


class Training:
    """A network that another thread trains until it is told to stop."""

    def __enter__(self):
        self.net = work.network()
        self._begun, self._enough = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._fit)
        self._thread.start()
        self._begun.wait()
        return self

    def _fit(self):
        def watch(_):
            self._begun.set()
            return self._enough.is_set()

        self.history = self.net.fit(
            *work.DATA, epochs=10**6, batch_size=16, callbacks=[watch], n_threads=2
        )

    def __exit__(self, *_):
        self._enough.set()
        self._thread.join()


@children_train
@needs_fork
@forks
@pytest.mark.parametrize("place", ["main thread", "another thread"])
def test_a_fork_while_another_thread_trains(place):
    """The child trains and predicts with what is its own."""
    wanted = work.trained_bytes()
    idle = work.network()
    idle.fit(*work.DATA, epochs=1)
    outputs = idle.predict(work.DATA[0], n_threads=2).tobytes()

    def task():
        return work.trained_bytes() + idle.predict(work.DATA[0], n_threads=2).tobytes()

    results = []
    with Training() as training:
        for _ in range(5):
            if place == "main thread":
                results.append(work.in_child(task))
            else:
                thread = threading.Thread(
                    target=lambda: results.append(work.in_child(task))
                )
                thread.start()
                thread.join()
    assert results == [(wanted + outputs, 0)] * 5
    assert training.history.stop_reason == "callback"


@children_train
@needs_fork
@forks
def test_a_fork_within_a_callback():
    wanted = work.trained_bytes()
    results = []

    def fork(_):
        results.append(work.in_child(work.trained_bytes))

    net = work.network()
    net.fit(*work.DATA, epochs=2, batch_size=16, callbacks=[fork], n_threads=2)
    assert results == [(wanted, 0)] * 2
    assert work.all_bytes(net) == wanted


@needs_fork
@forks
def test_a_network_in_training_is_busy_in_the_child():
    """Its thread is not there to finish the step: an error, and no wait for ever."""

    def task():
        calls = (lambda: net.predict(work.DATA[0]), net.copy)
        return "\n".join(filter(None, map(work.refusal, calls))).encode()

    seen = b""
    with Training() as training:
        net = training.net
        for _ in range(50):  # between two epochs it may be read
            said, status = work.in_child(task)
            assert status == 0
            seen = seen or said
    assert b"being trained" in seen


# -- stacks, and the end --------------------------------------------------------------


def _child(*arguments):
    environment = os.environ | {"PYTHONPATH": str(Path(work.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, work.__file__, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@usual_stack
@pytest.mark.parametrize("kib", [64, 128, 256])
def test_a_small_stack_is_enough_or_an_error(kib):
    said = _child("stack", str(kib))
    assert len(said) == 7
    for text in said.values():
        if kib == 64:
            assert "threading.stack_size(" in text
            assert "of its stack of 64 KiB" in text
        else:
            assert text == "done" or (kib == 128 and "of its stack" in text)


def test_a_process_may_end_while_daemon_threads_train():
    _child("exit")
