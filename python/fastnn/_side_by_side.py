"""Jobs of one kind, such as the folds of a cross-validation, on the threads."""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

import numpy as np

from fastnn._native import core
from fastnn._threads import num_threads
from fastnn._validation import check_threads
from fastnn.errors import DivergedError

__all__ = ["Job", "derived_seed", "side_by_side"]

_R = TypeVar("_R")

Job = Callable[[int | None], _R]
"""Gets the number of threads it may use."""

_OWN = (ValueError, TypeError, RuntimeError, MemoryError, DivergedError)

_LISTEN = 0.1  # seconds: systems where waiting is deaf to Ctrl-C hear it between


def derived_seed(seed: int, index: int) -> int:
    """Return the seed of member or fold `index` of a network of this seed.

    Neighbouring seeds have no member in common, as ``seed + index`` would have.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(index,))
    return int(sequence.generate_state(1, np.uint64)[0])


def side_by_side(
    jobs: Sequence[Job[_R]],
    *,
    unit: str,
    n_threads: int | None = None,
    on_done: Callable[[_R], None] | None = None,
) -> list[_R]:
    """Run the jobs, as many at a time as there are threads, each on one of them.

    Small networks gain more by that than by sharing their steps among threads; the
    bits of a result depend on neither.

    Parameters
    ----------
    jobs : sequence of callable
        Each gets the number of threads to use: 1, or `n_threads` if it is alone. Its
        time should pass in fits and other calls that release the GIL.
    unit : str
        What a job is called in errors: "fold".
    n_threads : int, optional
        As for `Trainer`.
    on_done : callable, optional
        Gets each result, on the calling thread, in whatever order they come.

    Returns
    -------
    list
        The results, in the order of the jobs.

    Raises
    ------
    BaseException
        What a job or `on_done` raised, or Ctrl-C. The fits of all other jobs are ended
        before. An error of a job names it; of several the first job's is raised.
    """
    threads = check_threads(n_threads) or num_threads()
    if len(jobs) == 1:
        return [_named(0, unit, jobs[0], n_threads, on_done)]
    workers = min(len(jobs), threads)
    if workers <= 1:
        return [_named(i, unit, job, 1, on_done) for i, job in enumerate(jobs)]
    flag = core.StopFlag()
    futures: list[Future[_R]] = [Future() for _ in jobs]
    todo: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    for i, (job, future) in enumerate(zip(jobs, futures, strict=True)):
        todo.put(functools.partial(_fulfil, future, i, unit, job))
    # Daemons, which those of a ThreadPoolExecutor are not: the end of the process does
    # not wait for the fits of a thread that is one itself.
    team = [
        threading.Thread(
            target=_work, args=(todo, flag), name=f"fastnn_{i}", daemon=True
        )
        for i in range(workers)
    ]
    try:
        for thread in team:
            thread.start()
        _await(futures, on_done)
    except BaseException as error:  # noqa: BLE001  (raised below)
        flag.set()
        for future in futures:
            future.cancel()
        _join(team)
        raise _error_of(futures, error) from None
    _join(team)
    return [future.result() for future in futures]


def _work(todo: queue.SimpleQueue[Callable[[], None]], flag: core.StopFlag) -> None:
    """Do what is left to do, until nothing is."""
    core.heed(flag)
    with contextlib.suppress(queue.Empty):
        while True:
            todo.get_nowait()()


def _fulfil(future: Future[_R], index: int, unit: str, job: Job[_R]) -> None:
    """Run a job on one thread, unless it was cancelled, for what the future tells."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = _named(index, unit, job, 1, None)
    except BaseException as error:  # noqa: BLE001  (raised where it is awaited)
        future.set_exception(error)
        del future  # which the error's traceback would hold in a circle
    else:
        future.set_result(result)


def _join(team: Sequence[threading.Thread]) -> None:
    """Wait for the threads that were started."""
    for thread in team:
        if thread.ident is not None:
            thread.join()


def _named(
    index: int,
    unit: str,
    job: Job[_R],
    n_threads: int | None,
    on_done: Callable[[_R], None] | None,
) -> _R:
    """Run a job; its errors say which one it is."""
    try:
        result = job(n_threads)
    except Exception as error:
        _name(error, f"{unit} {index}")
        raise
    if on_done is not None:
        on_done(result)
    return result


def _name(error: Exception, who: str) -> None:
    """Begin the message with `who`; of foreign errors only the notes, if there are."""
    if type(error) in _OWN and error.args:
        error.args = (f"{who}: {error.args[0]}", *error.args[1:])
    elif hasattr(error, "add_note"):  # Python 3.11
        error.add_note(f"in {who}")


def _await(futures: Sequence[Future[_R]], on_done: Callable[[_R], None] | None) -> None:
    """Wait until all are done, or raise the first error."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, _LISTEN, FIRST_COMPLETED)
        for future in done:
            result = future.result()
            if on_done is not None:
                on_done(result)


def _error_of(futures: Sequence[Future[_R]], raised: BaseException) -> BaseException:
    """Return the error of the first job that failed by itself, else what was raised."""
    errors = [future.exception() for future in futures if not future.cancelled()]
    if not any(error is raised for error in errors):
        return raised  # Ctrl-C
    ended = (KeyboardInterrupt, type(None))  # by the flag, or well
    return next((e for e in errors if not isinstance(e, ended)), raised)
