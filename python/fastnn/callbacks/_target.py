"""Whether a callback can write its file, told before the training begins."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["check_file"]


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
