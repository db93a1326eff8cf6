"""What users pass as the path of a file or folder."""

from __future__ import annotations

import os

__all__ = ["checked_path"]


def checked_path(path: object, argument: str = "path") -> str:
    """Return `path` as a string, or raise a TypeError or ValueError that names it."""
    try:
        text = os.fspath(path)  # type: ignore[call-overload]
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise TypeError(
            f"{argument} must be a string or an os.PathLike such as pathlib.Path, got "
            f"{type(path).__name__} {path!r}"
        )
    if not text or "\0" in text:
        raise ValueError(f"{argument} must name a file, got {text!r}")
    return text
