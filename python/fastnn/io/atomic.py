"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from fastnn._paths import checked_path

__all__ = ["checked_target", "write_atomically"]


def write_atomically(path: str, content: Sequence[bytes | memoryview]) -> None:
    """Write a file so that under its name the old or the new content is found, whole.

    The content, piece by piece, goes to a temporary file ``.fastnn-*.tmp`` in the same
    folder, reaches the disk, and takes the name in one step; then the folder reaches
    the disk. On any error or Ctrl-C the temporary file goes and the old file stays.

    Where Linux and the file system can, the temporary file has no name until it is
    whole, so that a process that is killed leaves nothing behind, unless in the instant
    between the two names. Elsewhere it leaves the temporary file, and nobody takes it
    for anything.

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
        if not _write_without_name(temporary, content, mode):
            _write(temporary, content, mode)
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):  # whose file is none that the user knows
            raise OSError(error.errno, error.strerror, str(target)) from None
        raise
    _reach_disk(target)  # a log of the file system may know no file without a name
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


def _write_without_name(
    path: Path, content: Sequence[bytes | memoryview], mode: int | None
) -> bool:
    """Write a new file as `_write`, but name it last; false: it cannot be done here.

    Whatever becomes of the process before, the system frees a file without a name. Why
    there is none (the kernel, the file system, a sandbox, no /proc, the folder itself)
    is not asked: the usual way works, or says what is wrong.
    """
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        flags = os.O_TMPFILE | os.O_WRONLY
        descriptor = os.open(path.parent, flags, 0o666 if mode is None else mode)
    except OSError:
        return False
    with FileIO(descriptor, "w") as file:
        if not _obeys_umask(descriptor):
            return False
        if mode is not None:
            os.fchmod(descriptor, mode)  # as it was, whatever the umask took from it
        _fill(file, content)
        with contextlib.suppress(OSError):
            # Python follows a link only if given a folder, which this path ignores.
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
            return True
    return False


def _obeys_umask(descriptor: int) -> bool:
    """Whether a new file is as private as its process wants new files to be.

    Linux before 6.0 forgets the umask of a file without a name on file systems without
    access control lists; a folder's default list may overrule it.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    lines = (line.split() for line in status.splitlines())
    umask = next((line[1] for line in lines if line[0] == "Umask:"), "777")
    return not os.fstat(descriptor).st_mode & int(umask, 8)


def _write(path: Path, content: Sequence[bytes | memoryview], mode: int | None) -> None:
    """Write a new file; mode None: the process's default."""

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if mode is None else mode)

    with FileIO(path, "x", opener=create) as file:
        if mode is not None:
            path.chmod(mode)
        _fill(file, content)


def _fill(file: FileIO, content: Sequence[bytes | memoryview]) -> None:
    """Write all of the content, down to the disk."""
    for piece in content:
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _reach_disk(path: Path) -> None:
    """Ask that a file or a folder's names outlive a power cut; not all systems can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
