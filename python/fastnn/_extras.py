"""Packages that only some need: imported when asked for."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["pandas", "pyplot"]


def pyplot(method: str) -> Any:
    """Return matplotlib.pyplot, or raise an ImportError that says what needs it."""
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ModuleNotFoundError as error:
        if error.name not in ("matplotlib", "matplotlib.pyplot"):
            raise
        raise ImportError(
            f"{method} needs matplotlib: pip install 'fastnn[plot]'"
        ) from error


def pandas(method: str) -> Any:
    """Return pandas, or raise an ImportError that says what needs it."""
    try:
        return importlib.import_module("pandas")
    except ModuleNotFoundError as error:
        raise ImportError(f"{method} needs pandas: pip install pandas") from error
