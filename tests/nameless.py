"""Files that have no name while they are written: where they are to be had, or not."""

import os
import tempfile
from pathlib import Path

import pytest

WAYS = ("without a name", "named")


def has_files_without_names(folder):
    """Whether Linux and this folder's file system have them."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        return False
    return Path("/proc/self/fd").is_dir()


def choose(way, monkeypatch):
    """Let files be written in this way from now on; skip where it is not to be had."""
    if way == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not has_files_without_names(tempfile.gettempdir()):
        pytest.skip("no files without names here")
