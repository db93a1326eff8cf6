"""Where a callback writes, and whether it can, told before the training begins."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

__all__ = ["as_path", "check_file"]


def as_path(owner: str, argument: str, value: Any) -> str:
    """Return a path as a string, or raise a TypeError or ValueError that names it."""
    try:
        text = os.fspath(value)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise TypeError(
            f"{owner}: {argument} must be a string or an os.PathLike such as "
            f"pathlib.Path, got {type(value).__name__} {value!r}"
        )
    if not text or "\0" in text:
        raise ValueError(f"{owner}: {argument} must name a file, got {text!r}")
    return text


def check_file(path: str) -> None:
    """Raise an OSError if no file can be written under this name."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, "the folder does not exist; create it first", path
        )
    if target.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, "the path is a folder; name a file in it", path
        )
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write", path)
