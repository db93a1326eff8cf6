"""How many threads a fit inside joblib takes."""

from __future__ import annotations

import threading

from joblib.parallel import get_active_backend

__all__ = ["threads_here"]


def threads_here(n_threads: int | None) -> int | None:
    """Return one thread inside a thread of joblib, else what is asked for.

    joblib's worker processes limit their threads through OMP_NUM_THREADS, which fastnn
    heeds; its worker threads share all processors, and so would their fits. The number
    does not change a bit of the result.
    """
    if n_threads is not None or threading.current_thread() is threading.main_thread():
        return n_threads
    backend, _ = get_active_backend()
    return 1 if backend.nesting_level else None
