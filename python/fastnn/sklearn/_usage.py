"""Who is using an estimator: any number of predictions, or one fit."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

__all__ = ["Usage"]


class Usage:
    """Tells a fit and a prediction on one object at once: an error, never a mixture.

    The thread that fits may predict meanwhile: its callbacks do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._writer: int | None = None

    def __reduce__(self) -> tuple[type[Usage], tuple[()]]:
        return Usage, ()  # nobody uses a copy yet

    @contextlib.contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Let others read meanwhile, but none fit."""
        with self._lock:
            if self._writer not in (None, threading.get_ident()):
                raise RuntimeError(
                    f"{what}: the estimator is being fitted by another thread; wait "
                    "until that is done, or predict with a copy.deepcopy of it"
                )
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1

    @contextlib.contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Let nobody else use it meanwhile."""
        with self._lock:
            if self._writer is not None or self._readers:
                doing = "fitted" if self._writer is not None else "used to predict"
                raise RuntimeError(
                    f"{what}: the estimator is being {doing} by another thread; wait "
                    "until that is done, or fit a sklearn.base.clone of it"
                )
            self._writer = threading.get_ident()
        try:
            yield
        finally:
            with self._lock:
                self._writer = None
