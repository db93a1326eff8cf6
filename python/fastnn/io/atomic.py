"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

__all__ = ["checked_path", "checked_target", "write_atomically"]


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


def write_atomically(path: str, content: Iterable[bytes | memoryview]) -> None:
    """Write a file so that under its name the old or the new content is found, whole.

    The content, piece by piece, goes to a temporary file ``.fastnn-*.tmp`` in the same
    folder, reaches the disk, and takes the name in one step; then the folder reaches
    the disk. On any error or Ctrl-C the temporary file goes and the old file stays;
    only a process that is killed leaves one behind, and nobody takes it for anything.

    A symbolic link is followed: its target is replaced, the link stays. Another hard
    link keeps the old content. A file that existed keeps its mode; a new one gets the
    process's default. A file without permission to write is not replaced.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, the name belongs to a
        folder or a device, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    mode = _mode_to_keep(target)
    _check_folder(target.parent)
    temporary = target.parent / f".fastnn-{os.urandom(16).hex()}.tmp"
    try:
        _write(temporary, content, mode)
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):  # whose file is none that the user knows
            raise OSError(error.errno, error.strerror, str(target)) from None
        raise
    _reach_disk(target.parent)


def checked_target(path: object, argument: str) -> str:
    """Return the path of a file to be written later, or raise as writing it would.

    Raises
    ------
    TypeError, ValueError, OSError
        As `checked_path` and `write_atomically`.
    """
    text = checked_path(path, argument)
    target = Path(os.path.realpath(text))
    _mode_to_keep(target)
    _check_folder(target.parent)
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(
            errno.EACCES, "the folder is write-protected", str(target.parent)
        )
    return text


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, "no such folder; create it first", str(folder)
        )


def _mode_to_keep(target: Path) -> int | None:
    """Return the mode of the file to be replaced, None if there is none."""
    try:
        found = target.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found):
        raise IsADirectoryError(
            errno.EISDIR, "the path is a folder; name a file in it", str(target)
        )
    if not stat.S_ISREG(found):
        raise OSError(
            errno.EINVAL, "the path is a pipe or device, no regular file", str(target)
        )
    effective = os.access in os.supports_effective_ids
    if not os.access(target, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, "the file is write-protected", str(target))
    return stat.S_IMODE(found)


def _write(path: Path, content: Iterable[bytes | memoryview], mode: int | None) -> None:
    """Write a new file down to the disk; mode None: the process's default."""

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if mode is None else mode)

    with open(path, "xb", buffering=0, opener=create) as file:
        if mode is not None:
            path.chmod(mode)  # as it was, whatever the umask took from it
        for piece in content:
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _reach_disk(folder: Path) -> None:
    """Ask that the new name outlives a power cut; not every system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
