"""`OneFit`: an ensemble is fitted by one call at a time."""

from __future__ import annotations

import threading

__all__ = ["OneFit"]


class OneFit:
    """Refuses a fit beside another, which would replace what that one has trained."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[OneFit], tuple[()]]:
        return OneFit, ()  # nobody fits a copy yet

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                "fit: this ensemble is being fitted by another call: finish that one "
                "first, or fit a copy.deepcopy of the ensemble"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()
