"""fastnn's threads as threadpoolctl sees and limits them.

``threadpool_info()`` lists fastnn, and ``threadpool_limits(1)`` holds for the fits and
predictions started inside, unless they name `n_threads` themselves. The limit is the
process's, as that of most libraries is.
"""

from __future__ import annotations

import importlib
from typing import Any

from fastnn import _native
from fastnn._native import core

__all__ = ["register"]


def register() -> None:
    """Make fastnn known to threadpoolctl, if that is installed.

    It may be imported long after fastnn, and asks nobody then; importing it here takes
    2 ms.
    """
    try:
        threadpoolctl: Any = importlib.import_module("threadpoolctl")
    except ModuleNotFoundError:
        return
    if hasattr(threadpoolctl, "register"):  # since 3.2
        threadpoolctl.register(_controller(threadpoolctl.LibController))


def _controller(base: Any) -> Any:
    """Return the class that threadpoolctl makes when it finds the core's library."""

    class FastnnController(base):  # type: ignore[misc]
        user_api = "fastnn"
        internal_api = "fastnn"
        filename_prefixes = (f"_core_{_native.level}.",)
        check_symbols = (f"PyInit__core_{_native.level}",)

        def set_additional_attributes(self) -> None:
            self.architecture = _native.level

        # Imported when asked: `import fastnn` shall not pay for what it needs.
        def get_num_threads(self) -> int:
            from fastnn._threads import num_threads  # noqa: PLC0415

            return num_threads()

        def set_num_threads(self, n_threads: int) -> None:
            from fastnn._threads import limit_threads  # noqa: PLC0415

            limit_threads(n_threads)

        def get_version(self) -> str:
            return str(core.__version__)

    return FastnnController
