"""How many threads a call uses that names no number, and who said so.

A limit set by threadpoolctl goes before `set_num_threads`, which goes before the
environment; the engine knows the last two and is told the first.
"""

from __future__ import annotations

import os
import re
import threading

from fastnn._native import core
from fastnn._validation import check_threads

__all__ = ["limit_threads", "num_threads", "set_num_threads", "threads_from"]

_VARIABLES = ("FASTNN_NUM_THREADS", "OMP_NUM_THREADS")  # as in core/threads.cpp
_POSITIVE = re.compile(r"\s*\+?0*[1-9]")

_lock = threading.Lock()
_chosen: int | None = None  # by set_num_threads
_limit: int | None = None  # by threadpoolctl
_without_limit = 0  # the number before there was a limit


def set_num_threads(n_threads: int | None) -> None:
    """Set how many threads the process uses where `n_threads` is not given.

    It goes before the environment variables FASTNN_NUM_THREADS and OMP_NUM_THREADS,
    which go before the number of processors the process may use. A limit set by
    threadpoolctl before this call ends with it.

    Parameters
    ----------
    n_threads : int or None
        >= 1; None: decide automatically again.

    Examples
    --------
    >>> import fastnn as fnn
    >>> fnn.set_num_threads(1)
    >>> fnn.set_num_threads(None)
    """
    global _chosen, _limit
    checked = check_threads(n_threads)
    with _lock:
        core.set_num_threads(checked)
        _chosen, _limit = checked or None, None


def num_threads() -> int:
    """Return the number of threads of a call that names none."""
    return int(core.default_threads(0))


def threads_from() -> str:
    """Say where that number comes from."""
    if _limit is not None:
        return "threadpoolctl"
    if _chosen is not None:
        return "set_num_threads"
    for name in _VARIABLES:
        if _POSITIVE.match(os.environ.get(name, "")):
            return name
    return "processors this process may use"


def limit_threads(n_threads: int) -> None:
    """Let threadpoolctl limit the number, or take the limit back.

    It restores what it saw by the number alone: the number there was without a limit
    means that there is none again, so what decided before decides again.
    """
    global _limit, _without_limit  # noqa: PLW0603
    with _lock:
        if _limit is None:
            _without_limit = num_threads()
        wanted = min(max(int(n_threads), 1), 1024)
        _limit = None if wanted == _without_limit else wanted
        core.set_num_threads(_limit or _chosen or 0)
